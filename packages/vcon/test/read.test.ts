import { describe, expect, test } from "vitest";
import { detectForm, readVcon, VconError } from "../src/index.ts";

const uuid = "0195f0a0-0000-8000-8000-000000000001";
const base64url = (text: string) => Buffer.from(text).toString("base64url");

function failure(document: unknown, options?: { maxDepth?: number }): VconError {
  try {
    readVcon(typeof document === "string" ? document : JSON.stringify(document), options);
  } catch (error) {
    if (error instanceof VconError) return error;
    throw error;
  }
  throw new Error("was read");
}

describe("forms and uuids", () => {
  test("an unsigned vCon of each version, or none", () => {
    for (const vcon of ["0.0.1", "0.0.2", "0.3.0", "0.4.0", undefined]) {
      const read = readVcon(JSON.stringify({ vcon, uuid, parties: [] }));
      expect(read).toMatchObject({ form: "unsigned", uuid });
      expect(read.version).toBe(vcon);
    }
  });

  test("empty lists may be left out", () => {
    for (const other of [{ vcon: "0.4.0" }, { created_at: "2026-01-02T03:04:05Z" }, { subject: "x" }]) {
      expect(readVcon(JSON.stringify({ uuid, ...other })).form).toBe("unsigned");
    }
    expect(detectForm({ uuid })).toBeUndefined();
    expect(failure({ uuid, subject: null }).code).toBe("not_a_vcon");
  });

  test("a signed one is known by its header, then its payload, then its own uuid", () => {
    const payload = base64url(JSON.stringify({ uuid: "in-payload", parties: [] }));
    const signatures = [{ protected: "e30", signature: "x", header: { alg: "RS256" } }];
    const named = [{ ...signatures[0], header: { alg: "RS256", uuid: "in-header" } }];
    const read = (document: object) => readVcon(JSON.stringify(document)).uuid;
    expect(read({ uuid: "at-top", payload, signatures: named })).toBe("in-header");
    expect(read({ uuid: "at-top", payload, signatures })).toBe("in-payload");
    expect(read({ uuid: "at-top", payload: "%%%", signatures: [] })).toBe("at-top");
    const outer = base64url(JSON.stringify({ payload, signatures }));
    expect(read({ payload: outer, signatures })).toBe("in-payload");
  });

  test("a gzipped payload is not opened", () => {
    const payload = Buffer.from([0x1f, 0x8b, 8, 0]).toString("base64url");
    expect(failure({ payload, signatures: [{}] }).code).toBe("no_uuid");
    expect(readVcon(JSON.stringify({ uuid, payload, signatures: [{}] })).uuid).toBe(uuid);
  });

  test("an encrypted one is known by its unprotected header, then its own uuid", () => {
    const document = { ciphertext: "x", recipients: [{}], unprotected: { uuid } };
    expect(readVcon(JSON.stringify(document))).toMatchObject({ form: "encrypted", uuid });
    expect(readVcon(JSON.stringify({ ...document, unprotected: {}, uuid: "at-top" })).uuid).toBe("at-top");
    expect(failure({ ciphertext: "x", recipients: [] }).code).toBe("no_uuid");
  });

  test("keeps members named __proto__", () => {
    const { value } = readVcon(`{"uuid":"u","parties":[{"__proto__":{"a":1}}],"__proto__":2}`);
    expect(JSON.stringify(value)).toBe(`{"uuid":"u","parties":[{"__proto__":{"a":1}}],"__proto__":2}`);
  });
});

describe("refusals", () => {
  test.each([
    ["{", "not_json"],
    ["", "not_json"],
    ["[]", "not_a_vcon"],
    ["null", "not_a_vcon"],
    ['"text"', "not_a_vcon"],
    ["{}", "not_a_vcon"],
    ['{"parties":[]}', "no_uuid"],
    ['{"uuid":"","parties":[]}', "no_uuid"],
    ['{"uuid":null,"parties":[]}', "no_uuid"],
    ['{"uuid":7,"parties":[]}', "not_a_vcon"],
    ['{"uuid":"u\\u0000","parties":[]}', "not_a_vcon"],
    ['{"uuid":"\\ud800","parties":[]}', "not_a_vcon"],
    ['{"uuid":"u","vcon":"0.5.0","parties":[]}', "unsupported_version"],
    ['{"uuid":"u","vcon":4,"parties":[]}', "not_a_vcon"],
    ['{"payload":1,"signatures":[]}', "not_a_vcon"],
    ['{"payload":"x","signatures":{}}', "not_a_vcon"],
    ['{"ciphertext":{},"recipients":[1]}', "not_a_vcon"],
  ])("%s is %s", (text, code) => {
    expect(failure(text).code).toBe(code);
  });

  test("a uuid has at most 255 characters, wherever it stands", () => {
    const long = "u".repeat(256);
    expect(readVcon(JSON.stringify({ uuid: long.slice(1), parties: [] })).uuid).toHaveLength(255);
    expect(failure({ uuid: long, parties: [] }).code).toBe("not_a_vcon");
    expect(failure({ ciphertext: "x", recipients: [], unprotected: { uuid: long } }).code).toBe("not_a_vcon");
  });

  test("an unknown version names the known ones", () => {
    expect(failure({ uuid, vcon: "9.9.9", parties: [] }).message).toContain("0.0.1, 0.0.2, 0.3.0, 0.4.0");
  });

  test("depth is judged before parsing, whatever the strings hold", () => {
    const deep = `{"uuid":"u","parties":[],"x":${"[".repeat(63)}${"]".repeat(63)}}`;
    expect(readVcon(deep).uuid).toBe("u");
    expect(failure(deep.replace('"x":', '"x":[').replace(/}$/, "]}")).code).toBe("too_deep");
    expect(failure("[".repeat(5_000_000)).code).toBe("too_deep");
    expect(
      readVcon(String.raw`{"uuid":"u","parties":[],"x":"\\\"[[[[[[[","y":"\\"}`, { maxDepth: 2 }).uuid,
    ).toBe("u");
    expect(failure({ uuid, parties: [{}] }, { maxDepth: 2 }).code).toBe("too_deep");
  });

  test("every fault is named at once", () => {
    const error = failure({
      uuid,
      created_at: -1,
      parties: [{ tel: 1234 }, 7, { name: ["x"], mailto: null, extra: 5 }],
      dialog: [{ type: 3, parties: [0, [1, "2"], null] }, {}],
      analysis: {},
      attachments: "none",
    });
    expect(error.findings.map(({ path }) => path.join("."))).toEqual([
      "created_at",
      "parties.1",
      "parties.0.tel",
      "parties.2.name",
      "dialog.0.type",
      "dialog.0.parties.1.1",
      "analysis",
      "attachments",
    ]);
    expect(error.findings[2]).toMatchObject({ message: "must be a string", input: 1234 });
    expect(error.findings[3]).not.toHaveProperty("input");
  });

  test("at most fifty faults", () => {
    expect(failure({ uuid, parties: Array.from({ length: 80 }, () => 1) }).findings).toHaveLength(50);
  });
});

test("what real files do is accepted", () => {
  const odd = {
    uuid,
    group: [],
    redacted: {},
    appended: null,
    amended: {},
    created_at: 1_700_000_000.5,
    meta: { tags: [] },
    parties: [{}, { tel: null, jCard: [] }, { extension: 7 }],
    dialog: [
      {},
      { type: "video", start: "yesterday", duration: "12" },
      { type: "recording", parties: -1, url: "https://example.com/a" },
      { type: "recording", parties: [0, [1, 2], null], body: "no encoding" },
      { type: "transfer", transfer_target: [1, 2], parties: null },
    ],
    analysis: [{ type: "transcript", encoding: "none", body: { a: 1 } }],
    attachments: [{ type: "tags", encoding: "none", body: ["x"] }],
  };
  expect(readVcon(JSON.stringify(odd)).value).toEqual(odd);
  expect(readVcon(JSON.stringify({ uuid, parties: null, dialog: [], created_at: null })).form).toBe(
    "unsigned",
  );
});
