import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import { VconError } from "./errors.ts";
import { type Fetch, readBody, reasonOf } from "./fetch.ts";
import { isArray, member, stringMember } from "./json.ts";
import type { JsonObject, JsonValue } from "./types.ts";

/* The content of a dialog, analysis or attachment: inline as `body` and `encoding`, or external as `url` and `content_hash`. */

/** What an inline body is in bytes; undefined when the entry has none. A missing `encoding` is guessed. */
export function inlineBytes(entry: JsonObject): Uint8Array<ArrayBuffer> | undefined {
  const body = member(entry, "body");
  if (body === undefined || body === null || body === "") return undefined;
  if (typeof body !== "string") return new TextEncoder().encode(JSON.stringify(body));
  const encoding = stringMember(entry, "encoding") ?? guessEncoding(entry);
  if (encoding === "base64url") {
    const bytes = decodeBase64url(body);
    if (bytes === undefined) throw new VconError("invalid_vcon", "The body is not base64url.");
    return bytes;
  }
  return new TextEncoder().encode(encoding === "json" ? JSON.stringify(body) : body);
}

/** Binary media is base64url though nobody said so; everything else is text. */
function guessEncoding(entry: JsonObject): string {
  const mediatype = stringMember(entry, "mediatype") ?? "";
  return /^(?:audio|video|image)\/|^application\/(?:pdf|zip|octet-stream)/i.test(mediatype)
    ? "base64url"
    : "none";
}

/** The hash tokens of an entry; empty when there are none. */
export function hashesOf(entry: JsonObject): readonly string[] {
  const given = member(entry, "content_hash");
  const tokens: readonly JsonValue[] = isArray(given) ? given : given === undefined ? [] : [given];
  return tokens.filter((token) => typeof token === "string");
}

/** Of what a document says, this much goes into messages. */
const MAX_SHOWN = 200;

/** As the format calls them, and as WebCrypto does. */
const algorithms = new Map([
  ["sha256", "SHA-256"],
  ["sha384", "SHA-384"],
  ["sha512", "SHA-512"],
]);

export type HashAlgorithm = "sha256" | "sha384" | "sha512";

/** The `content_hash` token of some bytes, for example "sha512-…". */
export async function contentHash(bytes: Uint8Array, algorithm: HashAlgorithm = "sha512"): Promise<string> {
  const name = algorithms.get(algorithm);
  if (name === undefined) throw unknownHash(algorithm);
  const digest = await crypto.subtle.digest(name, new Uint8Array(bytes));
  return `${algorithm}-${encodeBase64url(new Uint8Array(digest))}`;
}

/**
 * Checks bytes against a token, or all tokens of a list whose algorithm is known (sha256, sha384, sha512).
 *
 * @throws VconError hash_mismatch one of them differs
 * @throws VconError invalid_option there is none, or none whose algorithm is known
 */
export async function verifyContentHash(
  bytes: Uint8Array,
  tokens: string | readonly string[],
): Promise<void> {
  const list = typeof tokens === "string" ? [tokens] : tokens;
  const known = list.flatMap((token) => {
    const algorithm = token.slice(0, token.indexOf("-"));
    return isHashAlgorithm(algorithm) ? [{ token, algorithm }] : [];
  });
  if (known.length === 0)
    throw unknownHash(list.map((token) => token.slice(0, MAX_SHOWN).split("-")[0]).join(", "));
  for (const { token, algorithm } of known) {
    const actual = await contentHash(bytes, algorithm);
    if (actual !== withoutPadding(token)) {
      const expected = token.slice(0, MAX_SHOWN);
      const message = `The content does not have the hash that the vCon gives: expected ${expected}, found ${actual}.`;
      throw new VconError("hash_mismatch", message);
    }
  }
}

/** A loop, because a pattern takes quadratic time on a hostile token. */
function withoutPadding(token: string): string {
  let end = token.length;
  while (token.charAt(end - 1) === "=") end -= 1;
  return token.slice(0, end);
}

function isHashAlgorithm(name: string): name is HashAlgorithm {
  return algorithms.has(name);
}

function unknownHash(name: string): VconError {
  const known = [...algorithms.keys()].join(", ");
  return new VconError(
    "invalid_option",
    `No content hash that can be checked${name ? ` (found: ${name})` : ""}. Known: ${known}.`,
  );
}

export interface FetchOptions {
  /** Default: the global `fetch` */
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
  /** Largest content that is taken. Default: 512 MiB */
  readonly maxBytes?: number;
}

/**
 * The bytes of an entry's content: the inline body, or what its `url` gives, checked against `content_hash`. Content
 * without a hash is taken as it comes: old vCons have none.
 *
 * @throws VconError fetch_failed it has neither body nor https url, or the url does not answer
 * @throws VconError hash_mismatch
 */
export async function contentBytes(
  entry: JsonObject,
  options: FetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const inline = inlineBytes(entry);
  if (inline !== undefined) return inline;
  const bytes = await download(stringMember(entry, "url"), options);
  const tokens = hashesOf(entry);
  if (tokens.length > 0) await verifyContentHash(bytes, tokens);
  return bytes;
}

async function download(
  url: string | undefined,
  { fetch = globalThis.fetch, signal, maxBytes = 512 * 1024 * 1024 }: FetchOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (url === undefined)
    throw new VconError("fetch_failed", "The entry has no content: neither body nor url.");
  // On one line, because it comes from the document and goes into messages.
  const shown = url.slice(0, MAX_SHOWN).replaceAll(/\s/g, " ");
  if (!/^https:\/\//i.test(url)) {
    throw new VconError(
      "fetch_failed",
      `${shown} is not an https URL, and content is fetched from no other.`,
    );
  }
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    throw new VconError("fetch_failed", `${shown} could not be fetched: ${reasonOf(cause)}.`, { cause });
  });
  if (!response.ok) {
    await response.body?.getReader().cancel();
    throw new VconError(
      "fetch_failed",
      `${shown} answered ${response.status} ${response.statusText}.`.trim(),
    );
  }
  return readBody(response, { url: shown, maxBytes });
}
