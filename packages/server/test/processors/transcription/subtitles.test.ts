import { expect, it } from "vitest";
import { toAss, toSrt } from "../../../src/processors/transcription/subtitles.ts";
import type { NormalTranscript } from "../../../src/providers/transcription/transcriber.ts";

const transcript: NormalTranscript = {
  text: "Hello, can you? Yes.",
  language: "en",
  duration: 3700,
  segments: [
    { text: "Hello, can you?", start: 0.25, end: 1.5 },
    { text: "Yes.", start: 3661.004, end: 3661.004 },
  ],
  words: [
    { text: "Hello,", start: 0.5, end: 0.9 },
    { text: "can", start: 1, end: 1.2 },
    { text: "you?", start: 1.2, end: 1.4996 },
    { text: "Yes.", start: 3661.004, end: 3661.004 },
  ],
};

it("writes a SubRip cue for each word", () => {
  expect(toSrt(transcript)).toBe(`1
00:00:00,500 --> 00:00:00,900
Hello,

2
00:00:01,000 --> 00:00:01,200
can

3
00:00:01,200 --> 00:00:01,500
you?

4
01:01:01,004 --> 01:01:01,005
Yes.
`);
});

it("writes a line of Advanced SubStation Alpha for each segment, its words timed", () => {
  const [head = "", ...lines] = toAss(transcript).split("Dialogue: ");
  expect(head).toMatch(
    /^\[Script Info\]\n.*\n\[V4\+ Styles\]\nFormat: .*\nStyle: Default,.*\n\[Events\]\nFormat: /s,
  );
  expect(lines).toEqual([
    "0,0:00:00.25,0:00:01.50,Default,,0,0,0,,{\\k25}{\\k50}Hello, {\\k20}can {\\k30}you?\n",
    "0,1:01:01.00,1:01:01.01,Default,,0,0,0,,{\\k0}Yes.\n",
  ]);
});

it("does not let text be taken for times, markup or commands", () => {
  const hostile = {
    ...transcript,
    words: [],
    segments: [{ text: "a\n\n2\n--> <b>{\\b1}\\N", start: 0, end: 1 }],
  };
  expect(toSrt(hostile)).toBe("1\n00:00:00,000 --> 00:00:01,000\na 2 → ‹b›{\\b1}\\N\n");
  expect(toAss(hostile).split(",,0,0,0,,")[1]).toBe("a 2 --> <b>(/b1)/N\n");
});

it("is empty for silence", () => {
  const silence = { ...transcript, text: "", segments: [], words: [] };
  expect(toSrt(silence)).toBe("");
  expect(toAss(silence)).not.toContain("Dialogue:");
});
