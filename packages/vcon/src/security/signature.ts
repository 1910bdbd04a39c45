import { type CryptoKey, flattenedVerify } from "jose";

/** Algorithms by which signatures are verified, by the kind of key that makes them. */
export const signatureAlgorithms = new Map<string, "RSA" | "P-256" | "P-384">([
  ["RS256", "RSA"],
  ["RS384", "RSA"],
  ["RS512", "RSA"],
  ["PS256", "RSA"],
  ["PS384", "RSA"],
  ["PS512", "RSA"],
  ["ES256", "P-256"],
  ["ES384", "P-384"],
]);

/** Is this the key's signature? `algorithm` is the only one that is tried, whatever the headers say. */
export async function verifySignature(
  jws: { readonly payload: string; readonly protected: string; readonly signature: string },
  { key, algorithm }: { readonly key: CryptoKey; readonly algorithm: string },
): Promise<boolean> {
  const { payload, signature } = jws;
  // Without a protected header the signature covers the payload alone, and the algorithm stands unprotected.
  const headers = protectsAlgorithm(jws.protected) ? {} : { header: { alg: algorithm } };
  try {
    await flattenedVerify(
      { payload, signature, ...(jws.protected === "" ? {} : { protected: jws.protected }), ...headers },
      key,
      { algorithms: [algorithm] },
    );
    return true;
  } catch {
    return false;
  }
}

function protectsAlgorithm(encoded: string): boolean {
  if (encoded === "") return false;
  try {
    return "alg" in JSON.parse(atob(encoded.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return true;
  }
}
