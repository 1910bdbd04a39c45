import { expect, test } from "vitest";
import { renderSealed } from "../../src/command/show-sealed.ts";
import { widthOf } from "../../src/command/show-width.ts";
import { encodeBase64url } from "../../src/document/base64url.ts";
import { parse } from "../../src/document/parse.ts";
import type { EncryptedDocument, UnverifiedDocument } from "../../src/document/states.ts";
import type { JsonObject } from "../../src/document/types.ts";

const options = { width: 80, colour: false } as const;
const uuid = "019cd912-0286-84f5-b708-0d221ebaf96f";

function base64url(value: JsonObject): string {
  return encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));
}

async function sealed(document: JsonObject): Promise<UnverifiedDocument | EncryptedDocument> {
  const read = await parse(JSON.stringify(document));
  if (read.state === "unsigned") throw new Error("not sealed");
  return read;
}

const secret = { uuid, vcon: "0.4.0", subject: "The secret plan", parties: [] };

test("a signed vCon: who claims to have signed, nothing of the content", async () => {
  const document = await sealed({
    payload: base64url(secret),
    signatures: [
      { protected: base64url({ alg: "RS256", x5c: ["AA==", "AA=="] }), header: { uuid }, signature: "AA" },
      {
        protected: base64url({ alg: "ES256" }),
        header: { x5u: "https://keys.example.com/a.pem" },
        signature: "AA",
      },
      { protected: "%%%", header: { kid: "\u001b[31mx" }, signature: "AA" },
    ],
  });
  const text = renderSealed(document, { ...options, signers: ["CN=calls.example.com\u001b[2J"] });
  expect(text).not.toContain("secret");
  expect(text).not.toContain("\u001b");
  expect(text.split("\n")).toEqual([
    "Signed vCon, not verified",
    "",
    `uuid     ${uuid}`,
    expect.stringMatching(/^size {5}\d+ B$/),
    "payload  103 B",
    "",
    "Signatures (3)",
    "  0  RS256         says it is CN=calls.example.com␛[2J · 2 certificates",
    "  1  ES256         certificates at keys.example.com",
    "  2  no algorithm",
    "",
    "Who signed, and whether anything was changed, is not known yet, so the content",
    "is not shown. Check it with: vcon verify",
    "",
  ]);
});

test("a compressed payload is named", async () => {
  const document = await sealed({ payload: "H4sIAAAAAAAA", signatures: [{ header: { uuid } }] });
  expect(renderSealed(document, options)).toContain("payload  9 B, compressed\n");
});

const encrypted = {
  protected: base64url({ alg: "RSA-OAEP", enc: "A256CBC-HS512" }),
  unprotected: { uuid, cty: "application/vcon", enc: "A256CBC-HS512" },
  recipients: [{ header: { kid: "ann" }, encrypted_key: "AA" }, { header: { alg: "ECDH-ES" } }],
  iv: "AA",
  ciphertext: "A".repeat(4000),
  tag: "AA",
};

test("an encrypted vCon: for whom, and how", async () => {
  expect(renderSealed(await sealed(encrypted), options).split("\n")).toEqual([
    "Encrypted vCon",
    "",
    `uuid     ${uuid}`,
    expect.stringMatching(/^size {5}4\.\d kB$/),
    "cipher   A256CBC-HS512",
    "content  application/vcon",
    "payload  3.0 kB",
    "",
    "Recipients (2)",
    "  0  RSA-OAEP  key ann",
    "  1  ECDH-ES",
    "",
    "The content can be read only by those who have the key of a recipient. Open it",
    "with: vcon decrypt",
    "",
  ]);
});

test("damaged headers tell nothing", async () => {
  const document = await sealed({ ...encrypted, protected: "!", unprotected: {}, recipients: [{}] });
  const text = renderSealed(document, { width: 10, colour: false });
  expect(text).toContain("uuid     not told\n");
  expect(text).toContain("cipher   not told\n");
  expect(text).toContain("0  no algorithm\n");
  expect(Math.max(...text.split("\n").map(widthOf))).toBeLessThanOrEqual(40);
});

test("colours only when asked for", async () => {
  expect(renderSealed(await sealed(encrypted), { ...options, colour: true })).toContain("\u001b[31m");
});
