import { expect, test } from "vitest";
import { importMeet } from "../../src/importing/meet.ts";
import { bytesOf, errorsOf, inNew, mediaFixture } from "./imported.ts";

const bytes = mediaFixture("meeting.mp4");
const recording = { name: "Weekly sync (2026-03-04 at 10:02 GMT-8) (a1b2c3).mp4", bytes };
const chat = {
  name: "Weekly sync (2026-03-04 at 10:02 GMT-8)",
  bytes: bytesOf(
    "00:00:03.000,00:00:06.000\nAnn Lee: Hello: all\n\n00:01:05.500,00:01:08.500\nBob Stone: Hi\nand more\n\nrubbish\n",
  ),
};

test("subject and start are in the name; the chat counts from there", async () => {
  const vcon = inNew(await importMeet({ recording, chat }));
  expect(vcon.subject).toBe("Weekly sync");
  expect(vcon.parties).toEqual([{ name: "Ann Lee" }, { name: "Bob Stone" }]);
  expect(vcon.dialog).toMatchObject([
    {
      type: "recording",
      start: "2026-03-04T18:02:00Z",
      parties: [0, 1],
      mediatype: "video/x-mp4",
      filename: recording.name,
    },
    {
      type: "text",
      start: "2026-03-04T18:02:03Z",
      parties: [0],
      body: "Hello: all",
      application: "Google Meet",
    },
    { type: "text", start: "2026-03-04T18:03:05.500Z", parties: [1], body: "Hi\nand more" },
  ]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("without a telling name the file's own date counts, then its modification", async () => {
  const plain = await importMeet({ recording: { name: "sync.mp4", bytes }, modifiedAt: 0 });
  expect(plain).not.toHaveProperty("subject");
  expect(plain.dialogs).toMatchObject([{ start: "2026-03-04T10:00:00Z", parties: [0] }]);
  const undated = await importMeet({
    recording: { name: "sync.mp4", bytes: mediaFixture("tone.m4a") },
    modifiedAt: Date.UTC(2026, 0, 2),
  });
  expect(undated.dialogs).toMatchObject([{ start: "2026-01-02T00:00:00Z" }]);
});

test("what is no MP4 is refused", async () => {
  await expect(importMeet({ recording: { name: "a.mp4", bytes: bytesOf("hello") } })).rejects.toMatchObject({
    code: "invalid_import",
    message: "a.mp4 is no MP4 file, which recordings of Meet are.",
  });
});

test("a date at the end of the calendar, a time that is none, a name without end", async () => {
  const late = await importMeet({ recording: { name: "t (9999-12-31 at 23:59 GMT-11).mp4", bytes } });
  expect(errorsOf(inNew(late))).toEqual([]);
  const silent = { name: "sync.mp4", bytes: mediaFixture("tone.m4a") };
  const undated = await importMeet({ recording: silent, modifiedAt: Number.NaN });
  expect(undated.dialogs[0]).not.toHaveProperty("start");
  const long = await importMeet({ recording: { name: " ".repeat(200_000), bytes } });
  expect(long).not.toHaveProperty("subject");
});
