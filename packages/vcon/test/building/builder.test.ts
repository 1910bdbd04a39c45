import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  fromContent,
  type JsonValue,
  parse,
  toText,
  Vcon,
  type VconBuilder,
  VconError,
  verifyContentHash,
} from "../../src/index.ts";
import { errorsOf } from "../importing/imported.ts";

const wav = new Uint8Array(readFileSync(new URL("../fixtures/media/tone.wav", import.meta.url)));
const start = "2026-03-04T11:00:00+01:00";

function begin(): Promise<VconBuilder> {
  return Vcon.create({
    domain: "example.com",
    subject: "Refund",
    created_at: new Date("2026-03-04T10:00:00Z"),
  });
}

/** Two parties, and a message. */
async function begun(): Promise<VconBuilder> {
  const builder = await begin();
  builder.addParty({ name: "Ann", mailto: "ann@example.com" });
  builder.addParty({ name: "Bob" });
  builder.addText({ text: "Hello", start, parties: [0, 1] });
  return builder;
}

test("a new vCon: UUID of version 8, dates as the draft wants them", async () => {
  const { vcon } = (await begin()).build();
  expect(vcon).toEqual({
    vcon: "0.4.0",
    uuid: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
    created_at: "2026-03-04T10:00:00Z",
    subject: "Refund",
    parties: [],
    dialog: [],
    analysis: [],
    attachments: [],
  });
});

test("everything together is valid, and reads again as it was built", async () => {
  const builder = await begun();
  const call = await builder.addRecording({
    body: wav,
    filename: "call.wav",
    start,
    parties: [[0], [1]],
    party_history: [{ party: 0, time: start, event: "join" }],
  });
  const other = await builder.addExternalRecording({
    body: wav,
    filename: "other.wav",
    url: "https://example.com/other.wav",
    start,
    parties: [0, 1],
  });
  const set = builder.addRecordingSet({ recordings: [call, other], start, parties: [0, 1] });
  const missed = builder.addIncomplete({ disposition: "busy", start, parties: [0, 1], originator: 1 });
  const transfer = builder.addTransfer({
    transferee: 0,
    transferor: 1,
    original: call,
    target_dialog: missed,
  });
  builder
    .updateParty(1, { role: "agent" })
    .addExtension("CC", { critical: true })
    .addTags("queue:support")
    .setUpdatedAt("2026-03-04T12:00:00Z");
  const analysis = builder.addAnalysis({
    type: "summary",
    vendor: "example",
    dialog: [0, call],
    body: { words: 2 },
  });
  const file = builder.addAttachment({
    purpose: "sample",
    party: 1,
    dialog: call,
    filename: "a.pdf",
    body: new Uint8Array([1, 2, 3]),
    start,
  });
  expect([call, other, set, missed, transfer, analysis, file]).toEqual([1, 2, 3, 4, 5, 0, 1]);

  const document = builder.build();
  expect(errorsOf(document.vcon)).toEqual([]);
  expect(document.vcon.dialog?.[call]).toMatchObject({
    duration: 1.5,
    mediatype: "audio/x-wav",
    start: "2026-03-04T10:00:00Z",
    recording_set: set,
    encoding: "base64url",
    body: Buffer.from(wav).toString("base64url"),
  });
  expect(document.vcon.dialog?.[other]).toMatchObject({
    duration: 1.5,
    content_hash: `sha512-${createHash("sha512").update(wav).digest("base64url")}`,
    recording_set: set,
  });
  expect(document.vcon.dialog?.[other]).not.toHaveProperty("body");
  expect(document.vcon.attachments?.[file]).toMatchObject({ mediatype: "application/pdf", body: "AQID" });
  expect(document.vcon).toMatchObject({
    extensions: ["CC"],
    critical: ["CC"],
    updated_at: "2026-03-04T12:00:00Z",
  });
  const again = await parse(toText(document));
  expect(again.state === "unsigned" && again.vcon).toEqual(document.vcon);
});

describe("an index that points nowhere is refused, and nothing is added", () => {
  test.each<readonly [string, (builder: VconBuilder) => unknown, string]>([
    [
      "text",
      (builder) => builder.addText({ text: "x", parties: 2 }),
      "parties: 2 points nowhere; there are parties 0 to 1.",
    ],
    [
      "channels",
      (builder) => builder.addText({ text: "x", parties: [[0], [null, 7]] }),
      "parties: 7 points nowhere",
    ],
    ["negative", (builder) => builder.addText({ text: "x", parties: -1 }), "parties: -1 points nowhere"],
    ["fraction", (builder) => builder.addText({ text: "x", parties: 0.5 }), "parties: 0.5 points nowhere"],
    [
      "originator",
      (builder) => builder.addIncomplete({ disposition: "busy", originator: 5 }),
      "originator: 5",
    ],
    ["transferee", (builder) => builder.addTransfer({ transferee: 9, transferor: 0 }), "transferee: 9"],
    [
      "original",
      (builder) => builder.addTransfer({ transferee: 1, transferor: 0, original: 3 }),
      "original: 3 points nowhere; there are dialogs 0 to 0.",
    ],
    ["recordings", (builder) => builder.addRecordingSet({ recordings: [1] }), "recordings: 1"],
    [
      "analysis",
      (builder) => builder.addAnalysis({ type: "x", vendor: "y", dialog: [0, 1], body: "" }),
      "dialog: 1",
    ],
    [
      "attachment of analysis",
      (builder) => builder.addAnalysis({ type: "x", vendor: "y", attachment: 0, body: "" }),
      "attachment: 0 points nowhere; there are no attachments yet.",
    ],
    ["attachment", (builder) => builder.addAttachment({ party: 2, dialog: 0, body: "" }), "party: 2"],
    [
      "event",
      (builder) => builder.addText({ text: "x", party_history: [{ party: 2, time: start, event: "join" }] }),
      "party_history: party: 2",
    ],
    ["dialog's parties", (builder) => builder.updateDialog(0, { parties: [0, 9] }), "parties: 9"],
    ["dialog's originator", (builder) => builder.updateDialog(0, { originator: 9 }), "originator: 9"],
    ["dialog's recordings", (builder) => builder.updateDialog(0, { recordings: [1] }), "recordings: 1"],
    ["no number", (builder) => builder.updateParty(Number.NaN, {}), "index: NaN points nowhere"],
    [
      "dialog of an attachment",
      (builder) => builder.addAttachment({ party: 0, dialog: 3, body: "" }),
      "dialog: 3",
    ],
    [
      "transfer target",
      (builder) => builder.addTransfer({ transferee: 0, transferor: 1, transfer_target: 4 }),
      "transfer_target: 4",
    ],
    [
      "consultation",
      (builder) => builder.addTransfer({ transferee: 0, transferor: 1, consultation: 4 }),
      "consultation: 4",
    ],
    ["change of a party", (builder) => builder.updateParty(2, {}), "index: 2"],
    ["change of a dialog", (builder) => builder.updateDialog(1, {}), "index: 1"],
  ])("%s", async (_name, act, message) => {
    const builder = await begun();
    const before = builder.current;
    expect(() => act(builder)).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(message) }),
    );
    expect(builder.current).toBe(before);
  });
});

test("what is no date, and what is no recording, is refused", async () => {
  const builder = await begun();
  expect(() => builder.addText({ text: "x", start: "yesterday" })).toThrow(
    'start: "yesterday" is not a date such as 2026-03-04T05:06:07Z.',
  );
  expect(() => builder.addText({ text: "x", start: new Date(Number.NaN) })).toThrow(
    "start: an invalid Date is not a date",
  );
  expect(() => builder.setUpdatedAt(Number.POSITIVE_INFINITY)).toThrow("updated_at:");
  await expect(builder.addRecording({ body: new Uint8Array([1, 2]) })).rejects.toThrow(
    "The kind of recording cannot be told from the file.",
  );
  await expect(builder.addExternalRecording({ body: wav, url: "http://example.com/a" })).rejects.toThrow(
    "http://example.com/a is no https URL",
  );
});

test("members can be set, and removed with null; unknown ones are kept", async () => {
  const builder = await begun();
  builder
    .updateParty(0, { mailto: null, tel: "tel:+12025550101", x_id: 7 })
    .updateDialog(0, { x_mood: "good" });
  expect(builder.current.parties?.[0]).toEqual({ name: "Ann", tel: "tel:+12025550101", x_id: 7 });
  expect(builder.current.dialog?.[0]).toMatchObject({ x_mood: "good", body: "Hello" });
  expect(builder.findParties("name", "Bob")).toEqual([1]);
  expect(builder.findParties("name", "bob")).toEqual([]);
  expect(builder.findParties("constructor", "Bob")).toEqual([]);
  builder.updateDialog(0, { start: null, party_history: null, parties: null, x_mood: null });
  expect(builder.current.dialog?.[0]).toEqual({
    type: "text",
    mediatype: "text/plain",
    body: "Hello",
    encoding: "none",
  });
});

test("a member named __proto__ is a member like others", async () => {
  const builder = await begun();
  const index = builder.addParty(JSON.parse('{"name":"Eve","__proto__":{"role":"agent"}}'));
  builder.updateDialog(0, JSON.parse('{"__proto__":{"body":"other"}}'));
  expect(builder.current.parties?.[index]?.role).toBeUndefined();
  const text = toText(builder.build());
  expect(text).toContain('{"name":"Eve","__proto__":{"role":"agent"}}');
  expect(text).toContain('"__proto__":{"body":"other"}');
});

test("options that are undefined are as good as not given", async () => {
  const builder = await begun();
  const given: object = { duration: undefined, mediatype: undefined, start: undefined, filename: undefined };
  const index = await builder.addRecording({ body: wav, parties: 0, ...given });
  expect(builder.current.dialog?.[index]).toEqual({
    type: "recording",
    mediatype: "audio/x-wav",
    duration: 1.5,
    parties: 0,
    encoding: "base64url",
    body: Buffer.from(wav).toString("base64url"),
  });
  // @ts-expect-error: for callers without exactOptionalPropertyTypes
  builder.updateParty(0, { name: undefined });
  expect(builder.current.parties?.[0]?.name).toBe("Ann");
});

test("what is given goes before what the file says", async () => {
  const builder = await begun();
  const options = {
    body: wav,
    parties: 0,
    start,
    duration: 7,
    mediatype: "audio/vnd.wave",
    filename: "a.mp3",
  };
  const index = await builder.addRecording(options);
  expect(builder.current.dialog?.[index]).toMatchObject({
    duration: 7,
    mediatype: "audio/vnd.wave",
    filename: "a.mp3",
  });
});

test("bodies become what they are: bytes, text, JSON", async () => {
  const builder = await begun();
  const add = (body: Uint8Array | string | JsonValue, filename?: string) => {
    const named = filename === undefined ? {} : { filename };
    const index = builder.addAttachment({ party: 0, dialog: 0, start, body, ...named });
    const { mediatype, encoding, body: stored } = builder.current.attachments?.[index] ?? {};
    return [mediatype, encoding, stored];
  };
  expect(add(new Uint8Array([255, 254]))).toEqual(["application/octet-stream", "base64url", "__4"]);
  expect(add("text")).toEqual(["text/plain", "none", "text"]);
  expect(add("a,b", "list.csv")).toEqual(["text/csv", "none", "a,b"]);
  expect(add([1, null])).toEqual(["application/json", "json", [1, null]]);
  expect(add(new Uint8Array([1]), "a.PNG")).toEqual(["image/png", "base64url", "AQ"]);
  expect(errorsOf(builder.build().vcon)).toEqual([]);
});

test.each([[["first"]], [["first", "second"]]])(
  "tags may come before the first party and dialog: %j",
  async (rounds) => {
    const builder = await begin();
    for (const tag of rounds) builder.addTags(tag);
    expect(() => builder.build()).toThrow("party is missing");
    builder.addParty({ name: "Ann" });
    builder.addParty({ name: "Bob" });
    builder.addText({ text: "Hello", start, parties: [0, 1] });
    expect(builder.build().vcon.attachments).toMatchObject([{ party: 0, dialog: 0, body: rounds }]);
  },
);

test("replace goes on with another state", async () => {
  const builder = await begun();
  const other = (await begin()).build().vcon;
  expect(builder.replace(other).current).toBe(other);
  expect(builder.setSubject("Other").build().vcon.subject).toBe("Other");
  expect(other.subject).toBe("Refund");
});

test("build lists what breaks the draft", async () => {
  const builder = await begun();
  builder.updateDialog(0, { type: "video", encoding: "utf-8" });
  const error: unknown = (() => {
    try {
      return builder.build();
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toBeInstanceOf(VconError);
  expect(error).toMatchObject({
    code: "invalid_vcon",
    message: expect.stringMatching(/^dialog\.0\.type: .*\(and \d more\)$/),
  });
  expect(error instanceof VconError && error.findings.length).toBeGreaterThan(1);
});

test("a vCon that is there goes on; it is not touched", async () => {
  const document = (await begun()).build();
  const before = structuredClone(document.vcon);
  const builder = Vcon.edit(document);
  expect(builder.addParty({ name: "Cara" })).toBe(2);
  expect(builder.uuid).toBe(document.uuid);
  expect(document.vcon).toEqual(before);
  expect(builder.build().vcon.parties).toHaveLength(3);
});

test("what is given is never touched, though it be frozen", async () => {
  const source = frozen((await begun()).addTags("a:1").build().vcon);
  const text = JSON.stringify(source);
  const builder = Vcon.edit(fromContent(source));
  builder.addParty(frozen({ name: "Cara" }));
  builder.updateParty(0, frozen({ role: "agent", name: null })).updateDialog(0, frozen({ duration: 2 }));
  const call = await builder.addRecording(frozen({ filename: "a.wav", start, parties: [0, 1], body: wav }));
  builder.addRecordingSet(frozen({ recordings: [call], parties: [0, 1], start }));
  builder.addTransfer(frozen({ transferee: 0, transferor: 1, original: call }));
  builder.addAnalysis(frozen({ type: "summary", vendor: "example", dialog: [0], body: { words: [1] } }));
  builder.addAttachment(frozen({ party: 0, dialog: 0, start, body: { a: 1 } }));
  builder.addTags("b:2").addExtension("CC").setSubject("New").setUpdatedAt(start);
  expect(errorsOf(builder.build().vcon)).toEqual([]);
  expect(JSON.stringify(source)).toBe(text);
});

function frozen<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && !ArrayBuffer.isView(inner)) frozen(inner);
  }
  return Object.freeze(value);
}

test("hashes that were made are confirmed, others not", async () => {
  const builder = await begun();
  const index = await builder.addExternalRecording({
    body: wav,
    url: "https://example.com/a.wav",
    hash: "sha256",
  });
  const token = String(builder.current.dialog?.[index]?.content_hash);
  expect(token).toMatch(/^sha256-/);
  await verifyContentHash(wav, token);
  await expect(verifyContentHash(wav.slice(1), token)).rejects.toMatchObject({ code: "hash_mismatch" });
});
