import { Type } from "typebox";
import { BASE64, BASE64URL, HTTPS_URL } from "./patterns.ts";
import { extensible, listOf, text } from "./schema-values.ts";

const base64url = Type.String({ pattern: BASE64URL.source });

const signatureHeader = Type.Object({
  alg: text,
  x5c: Type.Optional(listOf(Type.String({ pattern: BASE64.source }), { minItems: 1 })),
  x5u: Type.Optional(Type.String({ pattern: HTTPS_URL.source })),
  uuid: text,
});

/** The signed form: a JWS in the General JSON serialization. */
export const signedVconSchema = extensible(
  Type.Object(
    {
      payload: Type.String({
        pattern: BASE64URL.source,
        description: "base64url of the JSON of a vCon, or of its gzip.",
      }),
      signatures: listOf(
        extensible(
          Type.Object({
            protected: base64url,
            header: Type.Optional(extensible(signatureHeader)),
            signature: base64url,
          }),
        ),
        { minItems: 1 },
      ),
    },
    { title: "Signed vCon" },
  ),
);

/** The encrypted form: a JWE in the General JSON serialization. */
export const encryptedVconSchema = extensible(
  Type.Object(
    {
      protected: Type.Optional(base64url),
      unprotected: Type.Optional(extensible(Type.Object({ cty: text, enc: text, uuid: text }))),
      recipients: listOf(
        extensible(
          Type.Object({
            header: Type.Optional(extensible(Type.Object({ alg: text }))),
            encrypted_key: Type.Optional(base64url),
          }),
        ),
        { minItems: 1 },
      ),
      iv: base64url,
      ciphertext: base64url,
      tag: base64url,
    },
    { title: "Encrypted vCon" },
  ),
);
