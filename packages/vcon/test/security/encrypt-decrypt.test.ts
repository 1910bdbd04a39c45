import fc from "fast-check";
import { compactDecrypt, generalDecrypt, importPKCS8 } from "jose";
import { beforeAll, expect, test } from "vitest";
import {
  type EncryptedDocument,
  fromContent,
  parse,
  type SignedDocument,
  toText,
  type Vcon,
} from "../../src/index.ts";
import { decrypt, encrypt, sign, type TestCertificates, verify } from "../../src/security.ts";
import { chainOf, ec, rsa } from "./certificates.ts";
import { change, changed, strings } from "./tampering.ts";

const vcon: Vcon = {
  vcon: "0.4.0",
  uuid: "u-1",
  created_at: "2026-03-04T05:06:07Z",
  parties: [{ name: "Ann" }],
};
let certificates: TestCertificates;
let elliptic: TestCertificates;
let signed: SignedDocument;

beforeAll(async () => {
  [certificates, elliptic] = [await rsa(), await ec()];
  signed = await sign(fromContent(vcon), { key: certificates.leaf.key, chain: chainOf(certificates) });
});

async function reread(document: EncryptedDocument): Promise<EncryptedDocument> {
  const read = await parse(toText(document));
  if (read.state !== "encrypted") throw new Error(read.state);
  return read;
}

test.each([
  ["one recipient", {}],
  ["the strict layout", { layout: "strict" }],
  ["RSA-OAEP-256", { algorithm: "RSA-OAEP-256" }],
  ["compression", { compress: true }],
] as const)("encrypt, decrypt, verify gives back what was signed: %s", async (_name, options) => {
  const document = await reread(
    await encrypt(signed, { recipients: [certificates.leaf.certificate], ...options }),
  );
  expect(document.uuid).toBe("u-1");
  const inner = await decrypt(document, { key: certificates.leaf.key });
  if (inner.state !== "unverified") throw new Error(inner.state);
  expect(inner.jws).toEqual(signed.jws);
  expect((await verify(inner, { trust: certificates.ca.certificate })).vcon).toEqual(vcon);
});

test("each of several recipients decrypts, and nobody else", async () => {
  const recipients = [certificates.leaf.certificate, certificates.intermediate.certificate];
  const document = await reread(await encrypt(signed, { recipients }));
  for (const { key } of [certificates.leaf, certificates.intermediate]) {
    expect(await decrypt(document, { key })).toMatchObject({ state: "unverified", jws: signed.jws });
  }
  await expect(decrypt(document, { key: certificates.ca.key })).rejects.toMatchObject({
    code: "decryption_failed",
    message: "None of the 2 recipients' entries opens with this key.",
  });
});

test("jose decrypts both layouts; the reference's way (five parts in a row) works for one recipient", async () => {
  const key = await importPKCS8(certificates.leaf.key, "RSA-OAEP");
  const strict = await encrypt(signed, { recipients: [certificates.leaf.certificate], layout: "strict" });
  const general = await generalDecrypt(JSON.parse(toText(strict)), key);
  expect(new TextDecoder().decode(general.plaintext)).toBe(toText(signed));
  const { jwe } = await encrypt(signed, { recipients: [certificates.leaf.certificate] });
  const parts = [jwe.protected, jwe.recipients[0]?.encrypted_key, jwe.iv, jwe.ciphertext, jwe.tag];
  expect(new TextDecoder().decode((await compactDecrypt(parts.join("."), key)).plaintext)).toBe(
    toText(signed),
  );
});

test("an unsigned vCon is refused, and so are keys that cannot do it", async () => {
  const recipients = [certificates.leaf.certificate];
  const unsigned = fromContent(vcon) as unknown as SignedDocument;
  await expect(encrypt(unsigned, { recipients })).rejects.toMatchObject({ code: "invalid_state" });
  await expect(encrypt(signed, { recipients: [] })).rejects.toMatchObject({ code: "invalid_option" });
  await expect(encrypt(signed, { recipients: [elliptic.leaf.certificate] })).rejects.toThrow(
    "The certificate of recipient 1 has a P-256 key; encryption needs RSA.",
  );
  await expect(encrypt(signed, { recipients: ["x"] })).rejects.toMatchObject({ code: "invalid_key" });
  const document = await encrypt(signed, { recipients });
  await expect(decrypt(document, { key: elliptic.leaf.key })).rejects.toMatchObject({ code: "invalid_key" });
  await expect(decrypt(document, { key: certificates.ca.key })).rejects.toMatchObject({
    code: "decryption_failed",
  });
});

test("a change of any character of headers, key, iv, ciphertext or tag is detected", async () => {
  const { jwe } = await encrypt(signed, { recipients: [certificates.leaf.certificate] });
  const places = strings(jwe);
  expect(places.map((path) => path.at(-1))).toEqual(
    expect.arrayContaining([
      "protected",
      "iv",
      "ciphertext",
      "tag",
      "encrypted_key",
      "alg",
      "enc",
      "uuid",
      "cty",
    ]),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), change, async (path, edit) => {
      const tampered = changed(jwe, path, edit);
      fc.pre(JSON.stringify(tampered) !== JSON.stringify(jwe));
      const outcome = parse(tampered).then(async (document) =>
        document.state === "encrypted" ? decrypt(document, { key: certificates.leaf.key }) : document,
      );
      await expect(outcome).rejects.toMatchObject({ name: "VconError" });
    }),
    { numRuns: 150 },
  );
});
