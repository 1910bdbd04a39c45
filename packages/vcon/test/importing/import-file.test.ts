import fc from "fast-check";
import { expect, test } from "vitest";
import { VconError } from "../../src/document/errors.ts";
import { importFile } from "../../src/importing/import-file.ts";
import { bytesOf, errorsOf, inNew, mediaFixture } from "./imported.ts";

const email =
  "From: Ann <ann@example.com>\nTo: bob@example.org\nDate: Wed, 4 Mar 2026 10:00:00 +0000\nSubject: Hi\nMessage-ID: <1@example.com>\n\nHello\n";
const srt = "1\n00:00:00,000 --> 00:00:01,000\nHello\n";

test.each<readonly [string, string, string, string | undefined]>([
  ["mail.eml", email, "text", "Hi"],
  ["noname", email, "text", "Hi"],
  ["inbox", `From ann@example.com Wed Mar  4 10:00:00 2026\n${email}`, "text", "Hi"],
  ["call.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ann>Hello</v>\n", "recording", undefined],
  ["call.srt", srt, "recording", undefined],
  ["_chat.txt", "[04.03.26, 10:00:00] Ann Lee: Hello\n[04.03.26, 10:00:10] Bob: Hi\n", "text", undefined],
  [
    "general.json",
    '[{"type":"message","user":"U1","text":"Hello","ts":"1772618400.000100"}]',
    "text",
    undefined,
  ],
  ["zoom.txt", "10:00:40\t From Ann Lee to Everyone : Hello\n", "text", undefined],
  ["about.eml", `${email}urn:ietf:params:xml:ns:recording:1\n`, "text", "Hi"],
  ["chat.csv", "time,sender,text\n2026-03-04T10:00:00Z,Ann,Hello\n", "text", undefined],
  ["chat.json", '[{"time":"2026-03-04T10:00:00Z","sender":"Ann","text":"Hello"}]', "text", undefined],
  [
    "rs.xml",
    "<recording xmlns='urn:ietf:params:xml:ns:recording:1'><participant participant_id='a'><nameID aor='sip:a@example.com'/></participant></recording>",
    "recording",
    undefined,
  ],
  ["t.json", '{"transcript":{"text":"Hello"},"segments":[]}', "recording", undefined],
])("%s is known by what is in it", async (name, text, type, subject) => {
  const vcon = inNew(await importFile({ name, bytes: bytesOf(text) }));
  expect(vcon.dialog?.[0]?.type).toBe(type);
  expect(vcon.subject).toBe(subject);
  expect(errorsOf(vcon)).toEqual([]);
});

test("a recording of Meet is known by its name; another recording needs more than the file", async () => {
  const bytes = mediaFixture("meeting.mp4");
  const meet = await importFile({ name: "Sync (2026-03-04 at 10:02 GMT) (x).mp4", bytes });
  expect(meet.subject).toBe("Sync");
  await expect(importFile({ name: "call.mp4", bytes })).rejects.toThrow(
    "call.mp4 is a recording, not an export",
  );
});

test("times without a zone are of the one given", async () => {
  const bytes = bytesOf("[04.03.26, 10:00:00] Ann Lee: Hello\n");
  const { dialogs } = await importFile({ name: "_chat.txt", bytes, timezone: "Europe/Berlin" });
  expect(dialogs[0]?.start).toBe("2026-03-04T09:00:00Z");
});

test.each([
  ["empty", ""],
  ["line", "x".repeat(1_000_000)],
  ["deep", "[".repeat(100_000)],
  [
    "bomb.xml",
    '<!DOCTYPE r [<!ENTITY a "a">]><recording xmlns="urn:ietf:params:xml:ns:recording:1">&a;</recording>',
  ],
  ["two\nlines", "neither"],
  ["prose", "Dear all,\n\nthis is a letter: nothing else.\n"],
])("%s cannot be used, and says so in one line", async (name, text) => {
  await expect(importFile({ name, bytes: bytesOf(text) })).rejects.toMatchObject({
    code: "invalid_import",
    message: expect.not.stringContaining("\n"),
  });
});

test("whatever the bytes: an import without errors, or an error that names the file's fault", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc
      .constantFrom(email, srt)
      .chain((known) => fc.nat(known.length).map((length) => known.slice(0, length))),
    fc.json(),
  );
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      try {
        expect(errorsOf(inNew(await importFile({ name: "file", bytes: bytesOf(content) })))).toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(VconError);
      }
    }),
    { numRuns: 200 },
  );
});
