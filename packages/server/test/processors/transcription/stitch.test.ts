import { expect, it } from "vitest";
import type { Part } from "../../../src/processors/transcription/parts.ts";
import { seatingOf } from "../../../src/processors/transcription/speakers.ts";
import { stitch, type TranscribedPart } from "../../../src/processors/transcription/stitch.ts";
import { readOpenAi } from "../../../src/providers/transcription/openai-answer.ts";

const vcon = { uuid: "a", parties: [{ name: "Ann" }, { name: "Bob" }] };

function part(offset: number, channel: number | undefined, vendor: object): TranscribedPart {
  const audio = { bytes: new Uint8Array(), mediatype: "audio/x-wav", filename: "recording.wav", seconds: 10 };
  const place: Part = { audio, offset, channel };
  const answer = JSON.parse(JSON.stringify(vendor));
  const transcript = readOpenAi(answer, { provider: "openai", seconds: 10 });
  return {
    part: place,
    transcription: { vendor: answer, transcript, schema: "openai_verbose_json", model: "m" },
  };
}

const verbose = (text: string, start: number, more: object = {}) => ({
  task: "transcribe",
  language: "english",
  duration: 10,
  text,
  segments: [{ id: 0, start, end: start + 1, text, ...more }],
  words: [{ word: text, start, end: start + 1 }],
});

it("leaves a single part as it is", () => {
  const only = part(0, undefined, verbose("Hello", 1));
  expect(stitch([only], seatingOf(vcon, { parties: [0, 1] }))).toBe(only.transcription);
});

it("moves times by the place of the part, in both transcripts", () => {
  const { vendor, transcript } = stitch(
    [part(0, undefined, verbose("Hello", 1.1)), part(10.2, undefined, verbose("again", 0.4, { seek: 3 }))],
    seatingOf(vcon, { parties: [0, 1] }),
  );
  expect(transcript).toMatchObject({ text: "Hello again", language: "en", duration: 20.2 });
  expect(transcript.segments.map(({ start, end }) => [start, end])).toEqual([
    [1.1, 2.1],
    [10.6, 11.6],
  ]);
  expect(vendor).toEqual({
    task: "transcribe",
    language: "en",
    duration: 20.2,
    text: "Hello again",
    segments: [
      { id: 0, start: 1.1, end: 2.1, text: "Hello" },
      { id: 1, start: 10.6, end: 11.6, text: "again", seek: 3 },
    ],
    words: [
      { word: "Hello", start: 1.1, end: 2.1 },
      { word: "again", start: 10.6, end: 11.6 },
    ],
  });
});

it("merges channels by time and says whose each is", () => {
  const { vendor, transcript } = stitch(
    [
      part(0, 0, verbose("late", 5)),
      part(10, 0, { text: "later" }),
      part(0, 1, verbose("early", 2, { words: [{ word: "early", start: 2, end: 3 }] })),
    ],
    seatingOf(vcon, { parties: [1, 0] }),
  );
  expect(transcript.segments.map(({ text, start, channel }) => [text, start, channel])).toEqual([
    ["early", 2, 1],
    ["late", 5, 0],
    ["later", 10, 0],
  ]);
  expect(vendor).toMatchObject({
    segments: [
      { text: "early", channel: 1, speaker: 1, words: [{ start: 2 }] },
      { text: "late", channel: 0, speaker: 0 },
      { text: "later", start: 10, end: 20, channel: 0, speaker: 0 },
    ],
  });
});

it("does not take voices of two parts for the same", () => {
  const { vendor, transcript } = stitch(
    [
      part(0, undefined, verbose("one", 0, { speaker: "A" })),
      part(10, undefined, verbose("two", 0, { speaker: "A" })),
    ],
    seatingOf(vcon, { parties: [0, 1] }),
  );
  expect(transcript.segments.map(({ speaker }) => speaker)).toEqual(["A", "2.A"]);
  expect(vendor).toMatchObject({ segments: [{ speaker: "A" }, { speaker: "2.A" }] });
});
