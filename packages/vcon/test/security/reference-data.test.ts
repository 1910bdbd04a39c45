import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contentBytes, contentHash, contentText, parse, verifyContentHash } from "../../src/index.ts";
import { decrypt, verify } from "../../src/security.ts";

/* The equalities that hold among the working group's own files. They are not part of this project. */
const folder = new URL("../../../../../shared/data/ietf-examples/", import.meta.url);
const present = existsSync(folder);
if (!present) console.warn("Skipped: the reference data (../shared/data beside the checkout) is not here.");

function bytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

function text(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

async function unverified(name: string) {
  const document = await parse(bytes(name));
  if (document.state !== "unverified") throw new Error(document.state);
  return document;
}

async function unsigned(name: string) {
  const document = await parse(bytes(name));
  if (document.state !== "unsigned") throw new Error(document.state);
  return document;
}

async function decrypted() {
  const document = await parse(bytes("ab_call_ext_rec_encrypted.vcon"));
  if (document.state !== "encrypted") throw new Error(document.state);
  const inner = await decrypt(document, { key: text("certs/fake_grp.key") });
  if (inner.state !== "unverified") throw new Error(inner.state);
  return inner;
}

describe.skipIf(!present)("the working group's examples", () => {
  const lax = () => ({ trust: text("certs/fake_ca_root.crt"), chain: "lax" as const });

  test("the signed one verifies, and its payload is the unsigned one", async () => {
    const verified = await verify(await unverified("ab_call_ext_rec_signed.vcon"), lax());
    expect(JSON.parse(contentText(verified))).toEqual(JSON.parse(text("ab_call_ext_rec.vcon")));
    expect(verified.signers[0]?.subject).toBe("CN=grp.div.fakevcon.io, OU=Group, O=FakeVcon");
  });

  test("the encrypted one decrypts to the signed one, and that verifies", async () => {
    const inner = await decrypted();
    expect(inner.jws).toEqual(JSON.parse(text("ab_call_ext_rec_decrypted.vcon")));
    expect(inner.jws).toEqual(JSON.parse(text("ab_call_ext_rec_signed.vcon")));
    const verified = await verify(inner, lax());
    expect(verified.vcon).toEqual(JSON.parse(text("ab_call_ext_rec_decrypted_verified.vcon")));
  });

  test("its certificates fail where they should", async () => {
    const document = await unverified("ab_call_ext_rec_signed.vcon");
    const attempt = (name: string, options: object = { chain: "lax" }) =>
      verify(document, { trust: text(`certs/${name}`), ...options });
    await expect(attempt("fake_ca2_root.crt")).rejects.toMatchObject({ code: "untrusted_certificate" });
    await expect(attempt("fake_ca_root.crt", {})).rejects.toThrow(/is of X\.509 version 1/);
    await expect(attempt("fake_ca_root.crt", { chain: "lax", at: Date.UTC(2035, 0) })).rejects.toMatchObject({
      code: "expired_certificate",
    });
    await expect(attempt("fake_div.crt")).resolves.toMatchObject({ state: "verified" });
  });

  test("the recording has the hash that every vCon of it gives", async () => {
    const recording = bytes("ab_call.mp3");
    for (const name of [
      "ab_call_ext_rec.vcon",
      "ab_call_ext_rec_analysis.vcon",
      "ab_call_ext_rec_amended.vcon",
    ]) {
      const dialog = (await unsigned(name)).vcon.dialog?.[0] ?? {};
      expect(dialog.content_hash, name).toBe(await contentHash(recording));
      const fetched = await contentBytes(dialog, { fetch: async () => new Response(recording) });
      expect(fetched.length).toBe(recording.length);
    }
    await expect(verifyContentHash(recording.slice(1), await contentHash(recording))).rejects.toMatchObject({
      code: "hash_mismatch",
    });
  });

  test("amended and redacted ones name where they come from", async () => {
    const original = await unsigned("ab_call_ext_rec_analysis.vcon");
    expect((await unsigned("ab_call_ext_rec_redacted.vcon")).vcon.redacted).toMatchObject({
      uuid: expect.any(String),
    });
    expect((await unsigned("ab_call_ext_rec_amended.vcon")).vcon.amended).toMatchObject({
      uuid: expect.any(String),
    });
    expect(original.uuid).toMatch(/^019f15a6/);
  });
});
