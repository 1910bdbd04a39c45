/** Documents and definitions that many tests of the API send. */

export function vcon(uuid: string, more: object = {}) {
  return { vcon: "0.4.0", uuid, created_at: "2026-01-01T00:00:00Z", parties: [{ tel: "+1" }], ...more };
}

/** A pipeline definition. */
export function definition(
  processors: readonly (readonly [name: string, options?: object])[],
  options: object = {},
) {
  return {
    pipeline_options: options,
    processors: processors.map(([processor_name, processor_options = {}]) => ({
      processor_name,
      processor_options,
    })),
  };
}

/** A signed vCon, as far as a server that does not verify it can tell. */
export function signedVcon(uuid: string) {
  const header = { alg: "RS256", x5c: ["MIIB"], uuid };
  return {
    payload: Buffer.from(JSON.stringify(vcon(uuid))).toString("base64url"),
    signatures: [{ header, protected: "eyJhbGciOiJSUzI1NiJ9", signature: "c2lnbmF0dXJl" }],
  };
}

/** An encrypted vCon, as far as a server without the key can tell. */
export function encryptedVcon(uuid: string) {
  return {
    unprotected: { cty: "application/vcon+json", uuid, enc: "A256CBC-HS512" },
    recipients: [{ header: { alg: "RSA-OAEP" }, encrypted_key: "a2V5" }],
    iv: "aXY",
    ciphertext: "dGV4dA",
    tag: "dGFn",
    protected: "eyJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0",
  };
}
