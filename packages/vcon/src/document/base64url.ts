/*
 * By tables, because recordings are large: `btoa` wants a string with a character per byte, which takes ten times as
 * long. (Uint8Array's own `toBase64` is not in every JavaScript engine that is in use.)
 */

const URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD_ALPHABET = `${URL_ALPHABET.slice(0, 62)}+/`;

const SKIPPED = 64;
const WRONG = 65;
/** What each ASCII character stands for in either alphabet. */
const values = new Uint8Array(128).fill(WRONG);
for (const alphabet of [URL_ALPHABET, STANDARD_ALPHABET]) {
  for (let value = 0; value < 64; value += 1) values[alphabet.charCodeAt(value)] = value;
}
for (const character of "= \t\n\f\r") values[character.charCodeAt(0)] = SKIPPED;

/** The bytes of a base64url text; padding, white space and the standard alphabet are accepted. Undefined when it is neither. */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let count = 0;
  let bits = 0;
  for (let index = 0; index < text.length; index += 1) {
    const value = values[text.charCodeAt(index)] ?? WRONG;
    if (value === SKIPPED) continue;
    if (value === WRONG) return undefined;
    bits = (bits << 6) | value;
    count += 1;
    if (count % 4 === 0) {
      bytes[at] = bits >> 16;
      bytes[at + 1] = bits >> 8;
      bytes[at + 2] = bits;
      at += 3;
      bits = 0;
    }
  }
  const rest = count % 4;
  if (rest === 1) return undefined;
  if (rest > 1) bytes[at++] = bits >> (rest === 2 ? 4 : 10);
  if (rest === 3) bytes[at++] = bits >> 2;
  return at === bytes.length ? bytes : bytes.slice(0, at);
}

/** Unpadded. */
export function encodeBase64url(bytes: Uint8Array): string {
  return encode(bytes, URL_ALPHABET);
}

/** The standard alphabet with padding, as certificates have it. */
export function encodeBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD_ALPHABET) + "=".repeat((3 - (bytes.length % 3)) % 3);
}

function encode(bytes: Uint8Array, alphabet: string): string {
  const codes = new TextEncoder().encode(alphabet);
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let at = 0;
  const put = (value: number) => {
    text[at++] = codes[value & 63] ?? 0;
  };
  const whole = bytes.length - (bytes.length % 3);
  for (let index = 0; index < whole; index += 3) {
    const bits = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    put(bits >> 18);
    put(bits >> 12);
    put(bits >> 6);
    put(bits);
  }
  const [first, second] = bytes.subarray(whole);
  if (first !== undefined) {
    put(first >> 2);
    put((first << 4) | ((second ?? 0) >> 4));
    if (second !== undefined) put(second << 2);
  }
  return decodeUtf8(text);
}

export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
