import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What a caller sends: `vct_`, a public id, and a secret of 256 bits. */
export interface TokenText {
  readonly id: string;
  readonly secret: string;
}

const pattern = /^vct_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
const alphabet = "abcdefghijklmnopqrstuvwxyz012345";

/** Whether a credential is meant to be one of our tokens. */
export function looksLikeToken(credential: string): boolean {
  return credential.startsWith("vct_");
}

export function makeToken(): TokenText {
  const id = [...randomBytes(12)].map((byte) => alphabet[byte % alphabet.length]).join("");
  return { id, secret: randomBytes(32).toString("base64url") };
}

export function writeToken({ id, secret }: TokenText): string {
  return `vct_${id}_${secret}`;
}

export function readToken(credential: string): TokenText | undefined {
  const [, id, secret] = pattern.exec(credential) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** SHA-256: of 256 random bits, a slow hash would make nothing safer. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Whether the secret has this hash, in a time that does not tell how much of it fits. */
export function fits(secret: string, hash: Uint8Array): boolean {
  const own = hashOf(secret);
  return own.length === hash.length && timingSafeEqual(own, hash);
}
