import { expect, test } from "vitest";
import { transcript } from "../../src/conversation/transcript.ts";
import { importZoom } from "../../src/importing/zoom.ts";
import { bytesOf, errorsOf, inNew, mediaFixture } from "./imported.ts";

const video = { name: "video1234567890.mp4", bytes: mediaFixture("meeting.mp4") };
const audio = { name: "audio1234567890.m4a", bytes: mediaFixture("tone.m4a") };
const conf = {
  name: "recording.conf",
  bytes: bytesOf(JSON.stringify({ items: [{ video: video.name, audio: audio.name }], extranal: [] })),
};
const chat = {
  name: "chat.txt",
  bytes: bytesOf(
    "10:00:40\t From Ann Lee : Hello\n10:00:45 From Bob Stone to Everyone : Hi,\nsecond line\n10:00:50  From  Ann Lee  To  Everyone:\n\tnew style\n",
  ),
};
const captions = {
  name: "GMT20260304-100000_Recording.transcript.vtt",
  bytes: bytesOf(
    "WEBVTT\n\n1\n00:00:00.500 --> 00:00:01.000\nAnn Lee: Good morning.\n\n2\n00:00:01.000 --> 00:00:02.000\nCara Diaz: Good morning, Ann.\n",
  ),
};
const notes = { name: "notes.pdf", bytes: bytesOf("%PDF-1.4") };

test("a whole folder", async () => {
  const vcon = inNew(
    await importZoom([conf, video, audio, chat, captions, notes], {
      timezone: "UTC",
      folder: "2026-03-04 10.00.00 Weekly sync 81234567890",
    }),
  );
  expect(vcon.subject).toBe("Weekly sync");
  expect(vcon.parties?.map(({ name }) => name)).toEqual(["Ann Lee", "Cara Diaz", "Bob Stone"]);
  expect(
    vcon.dialog?.map(({ type, start, parties, application }) => [type, start, parties, application]),
  ).toEqual([
    ["recording", "2026-03-04T10:00:00Z", [0, 1], undefined],
    ["text", "2026-03-04T10:00:40Z", [0], "Zoom"],
    ["text", "2026-03-04T10:00:45Z", [2], "Zoom"],
    ["text", "2026-03-04T10:00:50Z", [0], "Zoom"],
  ]);
  expect(vcon.dialog?.[0]).toMatchObject({
    mediatype: "video/x-mp4",
    filename: video.name,
    encoding: "base64url",
  });
  expect(vcon.dialog?.[2]?.body).toBe("Hi,\nsecond line");
  expect(vcon.dialog?.[3]?.body).toBe("new style");
  expect(vcon.analysis).toMatchObject([{ type: "transcript", vendor: "zoom", dialog: 0 }]);
  expect(vcon.attachments).toMatchObject([
    { filename: "notes.pdf", mediatype: "application/pdf", party: 0, dialog: 0 },
  ]);
  expect(
    transcript(vcon)
      .map(({ partyLabel, text }) => `${partyLabel}: ${text}`)
      .slice(0, 2),
  ).toEqual(["Ann Lee: Good morning.", "Cara Diaz: Good morning, Ann."]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("the audio is the recording where there is no video", async () => {
  const { dialogs, parties } = await importZoom([audio]);
  expect(dialogs).toMatchObject([{ mediatype: "audio/x-m4a", parties: [0] }]);
  expect(parties).toEqual([{}]);
});

test("a chat in another zone than the machine's is moved by whole hours to where the recording is", async () => {
  const at = async (clock: string, timezone?: string) => {
    const file = { name: "meeting_saved_chat.txt", bytes: bytesOf(`${clock} From Ann : Hello\n`) };
    const { dialogs } = await importZoom([video, file], timezone === undefined ? {} : { timezone });
    return dialogs[1]?.start;
  };
  expect(await at("17:01:00")).toBe("2026-03-04T10:01:00Z");
  expect(await at("10:01:00")).toBe("2026-03-04T10:01:00Z");
  expect(await at("11:01:00", "Europe/Berlin")).toBe("2026-03-04T10:01:00Z");
  // A zone that is given is believed, however late the message.
  expect(await at("15:30:00", "UTC")).toBe("2026-03-04T15:30:00Z");
});

test("a chat over midnight goes on with the next day", async () => {
  const file = { name: "chat.txt", bytes: bytesOf("23:59:50 From Ann : late\n00:00:10 From Ann : early\n") };
  const { dialogs } = await importZoom([file], {
    timezone: "UTC",
    folder: "2026-03-04 23.50.00 Night shift",
  });
  expect(dialogs.map(({ start }) => start)).toEqual(["2026-03-04T23:59:50Z", "2026-03-05T00:00:10Z"]);
});

test("files of the cloud: the date is in the name, the chat counts from the beginning", async () => {
  const recording = { name: "GMT20260305-083000_Recording_640x360.mp4", bytes: video.bytes };
  const file = {
    name: "GMT20260305-083000_RecordingnewChat.txt",
    bytes: bytesOf("00:00:07\tAnn Lee:\tHello\n"),
  };
  const { dialogs, createdAt } = await importZoom([recording, file]);
  expect(createdAt).toBe(Date.parse("2026-03-05T08:30:00Z"));
  expect(dialogs.map(({ start }) => start)).toEqual(["2026-03-05T08:30:00Z", "2026-03-05T08:30:07Z"]);
});

test.each([
  [[]],
  [[notes]],
  [[{ name: "chat.txt", bytes: bytesOf("no chat at all") }]],
  [[{ name: "x.conf", bytes: bytesOf("{") }]],
])("is no Zoom folder: %#", async (files) => {
  await expect(importZoom(files)).rejects.toMatchObject({
    code: "invalid_import",
    message: expect.stringContaining("neither a recording"),
  });
});

test("an unknown time zone", async () => {
  await expect(importZoom([video], { timezone: "Mars/Olympus" })).rejects.toMatchObject({
    code: "invalid_option",
  });
});

test("a transcript in which nobody speaks, and a text that is no chat, are files like others", async () => {
  const silent = { name: "a.transcript.vtt", bytes: bytesOf("WEBVTT\n") };
  const readme = { name: "about this chat.txt", bytes: bytesOf("Nothing was written.") };
  const imported = await importZoom([video, silent, readme]);
  expect(imported.analyses).toEqual([]);
  expect(imported.attachments.map(({ filename }) => filename)).toEqual([silent.name, readme.name]);
  expect(errorsOf(inNew(imported))).toEqual([]);
});

test("a transcript alone is one of a recording that is elsewhere", async () => {
  const vcon = inNew(await importZoom([captions]));
  expect(vcon.dialog).toEqual([{ type: "recording", start: "2026-03-04T10:00:00Z", parties: [0, 1] }]);
  expect(vcon.analysis).toMatchObject([{ type: "transcript", dialog: 0 }]);
  expect(errorsOf(vcon)).toEqual([]);
});

test("each part of a meeting has its own transcript", async () => {
  const names = ["GMT20260304-100000_Recording", "GMT20260304-110000_Recording"];
  const videos = names.map((name) => ({ name: `${name}.mp4`, bytes: video.bytes }));
  const texts = names.map((name) => ({ name: `${name}.transcript.vtt`, bytes: captions.bytes }));
  const { analyses } = await importZoom([...videos, ...texts.toReversed()]);
  expect(analyses.map(({ dialog }) => dialog)).toEqual([1, 0]);
});

test.each([
  ["spaces where the name should be", `10:00:00 From ${" ".repeat(100_000)}\n`],
  ["a name that does not end", `10:00:00 From Ann to${" to".repeat(100_000)}\n`],
  ["a name followed by spaces", `10:00:00 From Ann${" ".repeat(1_000_000)}\n`],
])("a chat made to take long is read at once: %s", async (_name, text) => {
  await expect(importZoom([{ name: "chat.txt", bytes: bytesOf(text) }])).rejects.toMatchObject({
    code: "invalid_import",
  });
});

test("dates that no calendar has are left out", async () => {
  const odd = { name: "GMT99991399-999999_Recording.m4a", bytes: audio.bytes };
  const vcon = inNew(await importZoom([odd]));
  expect(vcon.dialog?.[0]).not.toHaveProperty("start");
  expect(errorsOf(vcon)).toEqual([]);
  await expect(importZoom([audio], { timezone: "+99:99" })).rejects.toMatchObject({ code: "invalid_option" });
});
