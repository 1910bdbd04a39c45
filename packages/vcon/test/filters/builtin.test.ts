import { beforeAll, describe, expect, test } from "vitest";
import { runJq } from "../../src/command/jq.ts";
import type { UnsignedDocument, VconDocument } from "../../src/document/states.ts";
import { builtinFilter, builtinFilters, checkOptions } from "../../src/filters.ts";
import { applyFilter, contentText, parse, toText } from "../../src/index.ts";
import { makeTestCertificates, type TestCertificates } from "../../src/security/test-certificates.ts";
import { call } from "../command/run-vcon.ts";

let keys: TestCertificates;
let document: UnsignedDocument;
beforeAll(async () => {
  keys = await makeTestCertificates({ name: "calls.example.com" });
  const read = await parse(call);
  if (read.state !== "unsigned") throw new Error(read.state);
  document = read;
});

/** As a host runs one: by its name, with options that are checked. */
async function run(name: string, given: VconDocument, options: object = {}): Promise<VconDocument> {
  const filter = builtinFilter(name);
  if (filter === undefined) throw new Error(`There is no ${name}.`);
  const context = { domain: "example.com", jq: runJq, fetch };
  return applyFilter(filter, given, { options: await checkOptions(filter, options), context });
}

test("every filter is known by its name, and the reference's names too", () => {
  for (const filter of builtinFilters) {
    expect(builtinFilter(filter.name)).toBe(filter);
    expect(filter).toMatchObject({
      title: expect.any(String),
      description: expect.stringMatching(/\.$/),
      version: "1.0.0",
    });
  }
  for (const name of ["sign", "verify", "encrypt", "decrypt"])
    expect(builtinFilter(`${name}filter`)).toBe(builtinFilter(name));
  expect(builtinFilter("nope")).toBeUndefined();
});

test("sign, encrypt, decrypt and verify give back what there was", async () => {
  const { ca, intermediate, leaf } = keys;
  const signed = await run("sign", document, {
    private_pem_key: leaf.key,
    cert_chain_pems: [leaf.certificate, intermediate.certificate],
  });
  const encrypted = await run("encrypt", signed, { public_pem_key: [leaf.certificate, ca.certificate] });
  expect(encrypted.state).toBe("encrypted");
  const opened = await run("decrypt", await parse(toText(encrypted)), { private_pem_key: ca.key });
  expect(opened.state).toBe("unverified");
  const verified = await run("verify", opened, { allowed_ca_cert_pems: [ca.certificate] });
  expect(verified.state === "verified" && contentText(verified)).toBe(call);
});

test("create_amended, jq_redaction and redact_pii make new vCons; the original is not touched", async () => {
  const before = structuredClone(document.vcon);
  const amended = await run("create_amended", document);
  expect(amended).toMatchObject({ state: "unsigned", vcon: { amended: { uuid: document.uuid } } });
  const byJq = await run("jq_redaction", document, {
    jq_redaction_query: "del(.subject)",
    redaction_type_label: "subject",
  });
  expect(byJq).toMatchObject({ vcon: { redacted: { uuid: document.uuid, type: "subject" } } });
  const clean = await run("redact_pii", document, { redaction_type_label: "personal" });
  expect(clean).toMatchObject({
    vcon: {
      redacted: { uuid: document.uuid, type: "personal" },
      parties: [{ name: "anonymous" }, { name: "anonymous" }],
    },
  });
  expect(toText(clean)).not.toContain("ann@example.com");
  expect(document.vcon).toEqual(before);
});

describe("refuses", () => {
  test.each([
    ["jq_redaction", {}, /jq_redaction_query.*; .*redaction_type_label/],
    ["redact_pii", { country: "germany" }, /country must match pattern/],
    ["sign", { layout: "loose" }, /layout/],
    ["encrypt", { algorithm: "RSA1_5" }, /algorithm/],
    ["verify", { allowed_ca_cert_pems: "text" }, /allowed_ca_cert_pems must be array/],
  ])("options of %s that do not fit: %j", async (name, options, message) => {
    await expect(run(name, document, options)).rejects.toMatchObject({
      code: "invalid_option",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["verify", {}, "invalid_state"],
    ["decrypt", {}, "invalid_state"],
    ["encrypt", {}, "invalid_state"],
    ["sign", {}, "invalid_option"],
    ["sign", { private_pem_key: "x", cert_chain_pems: ["y"] }, "invalid_key"],
    ["redact_pii", { presidio_url: "nonsense" }, "invalid_option"],
    ["redact_pii", { presidio_url: "http://127.0.0.1:1" }, "fetch_failed"],
    ["jq_redaction", { jq_redaction_query: ".[", redaction_type_label: "x" }, "invalid_query"],
  ])("%s with %j", async (name, options, code) => {
    await expect(run(name, document, options)).rejects.toMatchObject({ code });
  });

  test("content that is signed or encrypted", async () => {
    const { intermediate, leaf } = keys;
    const signed = await run("sign", document, {
      private_pem_key: leaf.key,
      cert_chain_pems: [leaf.certificate, intermediate.certificate],
    });
    const read = await parse(toText(signed));
    await expect(run("redact_pii", read)).rejects.toMatchObject({
      code: "invalid_state",
      message: expect.stringContaining("Verify it first."),
    });
  });
});

test("defaults are filled in, options given are not touched, unknown ones are kept", async () => {
  const filter = builtinFilter("redact_pii");
  if (filter === undefined) throw new Error("missing");
  const given = Object.freeze({ country: "DE", mine: 1 });
  expect(await checkOptions(filter, given)).toEqual({
    country: "DE",
    mine: 1,
    redaction_type_label: "PII",
    keep_names: false,
    presidio_url: "",
    language: "en",
    uuid_domain: null,
  });
});
