import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, toText, Vcon, type VconBuilder, VconError, verifyContentHash } from "../../src/index.ts";
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
      "original: 3 points nowhere; there are dialog 0 to 0.",
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
