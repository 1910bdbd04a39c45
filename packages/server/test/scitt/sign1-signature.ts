import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Sign1 } from "../../src/scitt/cose-sign1.ts";

/** A CBOR byte string or text string (RFC 8949, section 3), written here byte by byte so that no library checks itself. */
function cborString(major: "bytes" | "text", content: Uint8Array): Buffer {
  const type = major === "bytes" ? 0x40 : 0x60;
  const { length } = content;
  if (length < 24) return Buffer.concat([Buffer.from([type + length]), content]);
  if (length < 256) return Buffer.concat([Buffer.from([type + 24, length]), content]);
  return Buffer.concat([Buffer.from([type + 25, length >> 8, length & 255]), content]);
}

/** What a COSE_Sign1 signs, by RFC 9052, section 4.4. */
function signedBytes({ protectedBytes, payload }: Pick<Sign1, "protectedBytes" | "payload">): Buffer {
  return Buffer.concat([
    Buffer.from([0x84]),
    cborString("text", Buffer.from("Signature1")),
    cborString("bytes", protectedBytes),
    cborString("bytes", Buffer.alloc(0)),
    cborString("bytes", payload ?? Buffer.alloc(0)),
  ]);
}

/** Whether the signature was made with the private half of this key. `hash`: null for Ed25519. */
export function isSignedBy(message: Sign1, key: KeyObject | string, hash: string | null): boolean {
  const publicKey = typeof key === "string" ? createPublicKey(key) : key;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const rsa = publicKey.asymmetricKeyType === "rsa";
  const options = { key: publicKey, ...(rsa ? pss : { dsaEncoding: "ieee-p1363" as const }) };
  return verify(hash, signedBytes(message), options, message.signature);
}
