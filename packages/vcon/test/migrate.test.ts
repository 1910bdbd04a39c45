import { expect, test } from "vitest";
import { type JsonObject, migrate, toVersion, VconError } from "../src/index.ts";

/** Fails on any write, so that the tests prove the input is left alone. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

const hash = "Re9R7UWKaD7yN9kxoYLbFFNSKU8XfH18NFbTc3AgT4_aBubMtvGUEtRmP6XUxSS3Nl4LU-1mOCtezoTHQ67cVQ";
const old: JsonObject = frozen({
  vcon: "0.0.1",
  uuid: "u",
  group: [],
  redacted: {},
  appended: null,
  parties: [{ name: "Ann" }],
  dialog: [
    {
      type: "recording",
      start: "Wed, 18 May 2022 23:05:05 -0000",
      mimetype: "audio/x-wav",
      alg: "SHA-512",
      signature: hash,
    },
    { type: "transfer", start: "2022-05-18T23:05:05.25+02:00", "transfer-target": 1, "target-dialog": 0 },
    { type: "recording", start: "some day", alg: "lm-ots", signature: "sig", key: "k" },
    { type: "recording", alg: "MD5", signature: "kept" },
  ],
  analysis: [
    { type: "transcript", vendor: "Whisper", transcript: "words", mimetype: "text/plain" },
    { type: "transcript", vendor: "x", vendor_schema: "s", vendor_product: "p", transcript: { a: 1 } },
    { type: "summary", transcript: "not content", body: "b" },
  ],
  attachments: [{ type: "notes", mimetype: "text/plain", alg: "SHA-512", signature: hash }],
});

test("0.0.1 goes all the way to 0.4.0", () => {
  expect(migrate(old)).toEqual({
    vcon: "0.4.0",
    uuid: "u",
    parties: [{ name: "Ann" }],
    dialog: [
      {
        type: "recording",
        start: "2022-05-18T23:05:05.000+00:00",
        mediatype: "audio/x-wav",
        content_hash: `sha512-${hash}`,
      },
      { type: "transfer", start: "2022-05-18T21:05:05.250+00:00", transfer_target: 1, target_dialog: 0 },
      { type: "recording", start: "some day", content_hash: "lmots_sha256_n32_w8-sig", key: "k" },
      { type: "recording", alg: "MD5", signature: "kept" },
    ],
    analysis: [
      {
        type: "transcript",
        vendor: "openai",
        product: "whisper",
        body: "words",
        encoding: "none",
        mediatype: "text/plain",
      },
      { type: "transcript", vendor: "x", schema: "s", product: "p", body: { a: 1 }, encoding: "json" },
      { type: "summary", transcript: "not content", body: "b" },
    ],
    attachments: [{ purpose: "notes", mediatype: "text/plain", content_hash: `sha512-${hash}` }],
  });
});

test("0.3.0: renamed members and session ids", () => {
  const document = frozen({
    vcon: "0.3.0",
    uuid: "u",
    appended: { uuid: "before" },
    must_support: ["x"],
    dialog: [{ session_id: "abc" }, { session_id: ["a1;remote=b2", { local: "c" }] }],
  });
  expect(migrate(document)).toEqual({
    vcon: "0.4.0",
    uuid: "u",
    amended: { uuid: "before" },
    critical: ["x"],
    dialog: [
      { session_id: { local: "abc" } },
      { session_id: [{ local: "a1", remote: "b2" }, { local: "c" }] },
    ],
  });
});

test("nothing to do gives the very same object", () => {
  const untouched: JsonObject[] = [
    { vcon: "0.4.0", uuid: "u", dialog: [{ mimetype: "left alone" }], attachments: [{ type: "x" }] },
    {
      uuid: "u",
      parties: [],
      dialog: [{ type: "text" }],
      attachments: [{ type: "x" }],
      group: [],
      redacted: {},
    },
    { payload: "x", signatures: [], vcon: "0.0.1" },
    { ciphertext: "x", recipients: [] },
    {},
  ];
  for (const document of untouched) expect(migrate(frozen(document))).toBe(document);
});

test("a document without a version gets only what can mean nothing else", () => {
  const { vcon: _, ...document } = old;
  const result = migrate(frozen(document));
  expect(result).not.toHaveProperty("vcon");
  expect(result.dialog).toMatchObject([
    { start: "Wed, 18 May 2022 23:05:05 -0000", mediatype: "audio/x-wav" },
    { transfer_target: 1 },
    {},
    {},
  ]);
  expect(result).toMatchObject({
    group: [],
    redacted: {},
    attachments: [{ type: "notes", mediatype: "text/plain" }],
  });
});

test("migrating twice is migrating once, and __proto__ members come along", () => {
  const once = migrate(old);
  expect(migrate(once)).toBe(once);
  const odd = JSON.parse(
    '{"vcon":"0.0.1","uuid":"u","dialog":[{"mimetype":"a","__proto__":1}],"__proto__":{"x":1}}',
  );
  expect(JSON.stringify(migrate(odd))).toBe(
    '{"vcon":"0.4.0","uuid":"u","dialog":[{"mediatype":"a","__proto__":1}],"__proto__":{"x":1}}',
  );
});

test("an unknown version is refused", () => {
  expect(() => migrate({ vcon: "0.5.0", uuid: "u", parties: [] })).toThrow(VconError);
});

test("0.0.1 to 0.0.2 takes the one step only", () => {
  const { vcon, lost } = toVersion(old, "0.0.2");
  expect(lost).toEqual([]);
  expect(vcon).toMatchObject({
    vcon: "0.0.2",
    group: [],
    redacted: {},
    appended: null,
    dialog: [{ mediatype: "audio/x-wav" }, { "transfer-target": 1 }, {}, {}],
    attachments: [{ type: "notes", mediatype: "text/plain" }],
  });
});

test("0.4.0 to 0.0.2 and back", () => {
  const document = frozen({
    vcon: "0.4.0",
    uuid: "u",
    amended: { uuid: "before" },
    critical: ["x"],
    parties: [{ name: "Ann" }],
    dialog: [
      { type: "transfer", transfer_target: 1, target_dialog: 0 },
      { session_id: { local: "a", remote: "b" } },
    ],
    attachments: [{ purpose: "tags", body: [] }],
  });
  const down = toVersion(document, "0.0.2");
  expect(down).toEqual({
    vcon: {
      vcon: "0.0.2",
      uuid: "u",
      appended: { uuid: "before" },
      must_support: ["x"],
      parties: [{ name: "Ann" }],
      dialog: [{ type: "transfer", "transfer-target": 1, "target-dialog": 0 }, { session_id: "a;remote=b" }],
      attachments: [{ type: "tags", body: [] }],
    },
    lost: [],
  });
  expect(migrate(down.vcon)).toEqual(document);
  expect(toVersion(document, "0.4.0").vcon).toBe(document);
  expect(toVersion(document, "0.3.0").vcon).toMatchObject({
    vcon: "0.3.0",
    dialog: [{ transfer_target: 1 }, {}],
  });
});

test("what the old version has no words for is named", () => {
  const document = {
    uuid: "u",
    parties: [{ org: "o" }],
    dialog: [
      { type: "recording-set", recordings: [1] },
      {
        type: "recording",
        parties: [0, null],
        content_hash: ["sha256-a", "sha512-b"],
        party_history: [{ event: "keydown" }],
      },
    ],
    analysis: [{ attachment: 0 }],
  };
  const { vcon, lost } = toVersion(document, "0.0.2");
  expect(vcon).toMatchObject({ vcon: "0.0.2", dialog: [{}, { content_hash: "sha512-b" }] });
  expect(lost).toEqual([
    "parties[0].org",
    "dialog[0].type: recording-set",
    "dialog[0].recordings",
    "dialog[1].parties: unused channel",
    "dialog[1].party_history: key events",
    "analysis[0].attachment",
    "dialog[1].content_hash: all but one of 2 hashes",
  ]);
  expect(toVersion({ payload: "x", signatures: [] }, "0.0.2").lost).toHaveLength(1);
});
