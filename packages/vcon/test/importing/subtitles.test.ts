import { expect, test } from "vitest";
import { transcript } from "../../src/conversation/transcript.ts";
import { importSubtitles } from "../../src/importing/subtitles.ts";
import { errorsOf, inNew } from "./imported.ts";

const start = Date.parse("2026-03-04T10:00:00Z");
const vtt = `WEBVTT - a title

NOTE nothing

1
00:00:00.500 --> 00:00:02.000 align:start
<v Ann Lee>Good <b>morning</b>.</v>
<v Bob>Hi &amp; hello</v>

00:02.000 --> 00:03.000
<v Ann Lee>Bye`;

test("WebVTT: voices are speakers, and parties of the recording", async () => {
  const vcon = inNew(await importSubtitles(vtt, { start, vendor: "example" }));
  expect(vcon.parties).toEqual([{ name: "Ann Lee" }, { name: "Bob" }]);
  expect(vcon.dialog).toEqual([{ type: "recording", start: "2026-03-04T10:00:00Z", parties: [0, 1] }]);
  expect(vcon.analysis).toMatchObject([
    { type: "transcript", vendor: "example", dialog: 0, encoding: "json" },
  ]);
  expect(transcript(vcon).map(({ partyLabel, text, start: at }) => [partyLabel, text, at])).toEqual([
    ["Ann Lee", "Good morning.", start + 500],
    ["Bob", "Hi & hello", start + 500],
    ["Ann Lee", "Bye", start + 2000],
  ]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("SubRip: names before a colon where that is the way throughout, no markup", async () => {
  const srt =
    "1\r\n00:00:00,000 --> 00:00:01,000\r\nANN: <i>Hello</i>\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,500\r\nBOB: {\\an8}Hi\r\n- CARA: Hey\r\n";
  const { parties, analyses } = await importSubtitles(srt);
  expect(parties).toEqual([{ name: "ANN" }, { name: "BOB" }, { name: "CARA" }]);
  expect(analyses[0]?.body).toEqual([
    { speaker: "ANN", start: 0, end: 1, text: "Hello" },
    { speaker: "BOB", start: 1, end: 2.5, text: "Hi" },
    { speaker: "CARA", start: 1, end: 2.5, text: "Hey" },
  ]);
});

test("prose with colons has no speakers", async () => {
  const srt =
    "1\n00:00:00,000 --> 00:00:01,000\nOne thing: hello\n\n2\n00:00:01,000 --> 00:00:02,000\nand more\n\n3\n00:00:02,000 --> 00:00:03,000\nto say\n";
  expect((await importSubtitles(srt)).parties).toEqual([]);
});

test("goes to a dialog that is there", async () => {
  const first = inNew(await importSubtitles(vtt));
  const { addImported } = await import("../../src/importing/add-imported.ts");
  const second = addImported(
    first,
    await importSubtitles("WEBVTT\n\n00:00.000 --> 00:01.000\nother words", { dialog: 0 }),
  );
  expect(second.dialog).toHaveLength(1);
  expect(second.analysis?.map(({ dialog }) => dialog)).toEqual([0, 0]);
  const nowhere = await importSubtitles(vtt, { dialog: 7 });
  expect(() => addImported(first, nowhere)).toThrow(/The vCon has no dialog 7; it has 0 to 0/);
});

test.each(["", "WEBVTT", "hello", "1\n00:00:00,000 --> \n", "x".repeat(1_000_000)])(
  "no subtitles: %#",
  async (text) => {
    await expect(importSubtitles(text)).rejects.toMatchObject({ code: "invalid_import" });
  },
);

test("voices nested without end, and a start that is no time", async () => {
  const nested = `WEBVTT\n\n00:00.000 --> 00:01.000\n${"<v Ann>".repeat(50_000)}Hello`;
  expect((await importSubtitles(nested)).parties).toEqual([{ name: "Ann" }]);
  const { dialogs } = await importSubtitles(vtt, { start: Number.NaN });
  expect(dialogs[0]).not.toHaveProperty("start");
});
