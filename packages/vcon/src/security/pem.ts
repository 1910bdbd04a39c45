import { decodeBase64url, encodeBase64 } from "../document/base64url.ts";
import { VconError } from "../document/errors.ts";

/** One block of a PEM text: its label, for example "CERTIFICATE", and its bytes (DER). */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array<ArrayBuffer>;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([\s\S]*?)-----END \1-----/g;

/**
 * The blocks of a PEM text, in order; text around them is ignored. A path is never opened: that is the caller's part.
 *
 * @param what names the text in errors, for example "the private key"
 * @throws VconError invalid_key
 */
export function pemBlocks(text: string, what: string): readonly PemBlock[] {
  const blocks = [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => {
    if (/^Proc-Type:.*ENCRYPTED/m.test(body)) throw encrypted(what);
    const der = decodeBase64url(body.replace(/\s+/g, ""));
    if (der === undefined)
      throw new VconError("invalid_key", `${capital(what)} is PEM text with damaged base64.`);
    return { label, der };
  });
  if (blocks.length === 0) {
    const hint = "It must be PEM text, with lines such as -----BEGIN CERTIFICATE----- (not a path).";
    throw new VconError("invalid_key", `${capital(what)} cannot be read. ${hint}`);
  }
  if (blocks.some(({ label }) => label === "ENCRYPTED PRIVATE KEY")) throw encrypted(what);
  return blocks;
}

function encrypted(what: string): VconError {
  const hint = "Decrypt it first: openssl pkey -in key.pem -out plain.pem";
  return new VconError("invalid_key", `${capital(what)} is protected by a password. ${hint}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function toPem({ label, der }: PemBlock): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The certificates of one PEM text, or of several, in order. @throws VconError invalid_key */
export function certificateBlocks(pem: string | readonly string[], what: string): readonly PemBlock[] {
  const texts = typeof pem === "string" ? [pem] : pem;
  const found = texts
    .flatMap((text) => pemBlocks(text, what))
    .filter(({ label }) => /CERTIFICATE$/.test(label));
  if (found.length === 0) throw new VconError("invalid_key", `${capital(what)} has no certificate in it.`);
  return found;
}
