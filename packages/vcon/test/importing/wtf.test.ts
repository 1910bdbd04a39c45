import { expect, test } from "vitest";
import { transcript } from "../../src/conversation/transcript.ts";
import { importWtf } from "../../src/importing/wtf.ts";
import { errorsOf, inNew } from "./imported.ts";

const body = {
  transcript: { text: "Hello there. Hi.", language: "en-US", duration: 3.5, confidence: 0.9 },
  segments: [
    { id: 0, start: 0, end: 1.5, text: "Hello there.", confidence: 0.9, speaker: 0 },
    { id: 1, start: 1.5, end: 3, text: "Hi.", confidence: 0.9, speaker: 1 },
  ],
  metadata: {
    created_at: "2026-03-04T11:00:00Z",
    processed_at: "2026-03-04T11:00:05Z",
    provider: "deepgram",
    model: "nova-3",
    audio: { duration: 4 },
  },
  speakers: { 0: { id: 0, label: "Ann Lee" }, 1: "Bob" },
};

test("is kept as an analysis of the extension, of a recording that is to come", () => {
  const vcon = inNew(importWtf(JSON.stringify(body), { start: Date.parse("2026-03-04T10:00:00Z") }));
  expect(vcon.extensions).toEqual(["wtf_transcription"]);
  expect(vcon.parties).toEqual([{ name: "Ann Lee" }, { name: "Bob" }]);
  expect(vcon.dialog).toEqual([
    { type: "recording", start: "2026-03-04T10:00:00Z", duration: 4, parties: [0, 1] },
  ]);
  expect(vcon.analysis).toEqual([
    {
      type: "wtf_transcription",
      vendor: "deepgram",
      product: "nova-3",
      mediatype: "application/json",
      encoding: "json",
      body,
      dialog: 0,
    },
  ]);
  expect(transcript(vcon).map(({ text }) => text)).toEqual(["Hello there.", "Hi."]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("goes to a dialog that is there", () => {
  const given = inNew(importWtf(JSON.stringify(body)));
  expect(importWtf(JSON.stringify(body), { dialog: 0 })).toMatchObject({ onto: 0, parties: [] });
  expect(given.dialog).toHaveLength(1);
});

test.each([
  "",
  "[]",
  "{",
  '{"transcript":{"text":1},"segments":[]}',
  '{"transcript":{"text":"a"},"segments":{}}',
])("is none: %s", (text) => {
  expect(() => importWtf(text)).toThrow(/World Transcription Format/);
});

test("nested deeper than a vCon may be", () => {
  const deep = `{"transcript":{"text":"a"},"segments":${"[".repeat(1000)}${"]".repeat(1000)}}`;
  expect(() => importWtf(deep)).toThrow(expect.objectContaining({ code: "invalid_import" }));
});

test("who made it must be a name", () => {
  const [analysis] = importWtf(JSON.stringify({ ...body, metadata: { provider: " ", model: "" } })).analyses;
  expect(analysis).toMatchObject({ vendor: "unknown" });
  expect(analysis).not.toHaveProperty("product");
});
