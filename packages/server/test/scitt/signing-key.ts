import { generateKeyPairSync } from "node:crypto";

/** The PEM text of a new private key. */
export function signingKey(kind: "P-256" | "P-384" | "P-521" | "ed25519" | "rsa"): string {
  return keyOf(kind).export({ type: "pkcs8", format: "pem" }).toString();
}

function keyOf(kind: Parameters<typeof signingKey>[0]) {
  if (kind === "ed25519") return generateKeyPairSync("ed25519").privateKey;
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync("ec", { namedCurve: kind }).privateKey;
}
