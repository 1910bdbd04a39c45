import type { EncryptedVcon, SignedVcon, Vcon } from "@vconductor/vcon";

/** A short chat between two parties. */
export function vcon(uuid: string): Vcon {
  return {
    vcon: "0.4.0",
    uuid,
    created_at: "2026-03-02T09:15:00Z",
    subject: "Delivery date",
    parties: [
      { name: "Ada Brandt", tel: "+4930555010" },
      { name: "Support", mailto: "help@shop.example" },
    ],
    dialog: [
      {
        type: "text",
        start: "2026-03-02T09:15:00Z",
        parties: [0, 1],
        originator: 0,
        mediatype: "text/plain",
        encoding: "none",
        body: "When does my order arrive?",
      },
      {
        type: "text",
        start: "2026-03-02T09:15:30Z",
        parties: [1, 0],
        originator: 1,
        mediatype: "text/plain",
        encoding: "none",
        body: "On Thursday.",
      },
    ],
  };
}

/** Signed in form only: nothing here checks the signature. */
export function signed(uuid: string): SignedVcon {
  return {
    payload: Buffer.from(JSON.stringify(vcon(uuid))).toString("base64url"),
    signatures: [{ header: { alg: "RS256", uuid }, protected: "eyJhbGciOiJSUzI1NiJ9", signature: "AAAA" }],
  };
}

/** Encrypted in form only. */
export function encrypted(uuid: string): EncryptedVcon {
  return {
    protected: "eyJhbGciOiJSU0EtT0FFUCJ9",
    iv: "AAAA",
    ciphertext: "AAAA",
    tag: "AAAA",
    recipients: [{ encrypted_key: "AAAA" }],
    unprotected: { uuid, cty: "application/vcon+json", enc: "A256CBC-HS512" },
  };
}
