import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mediatypeOf, recordingInfo } from "../../src/media/recording.ts";

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/media/${name}`, import.meta.url)));
}

/** What other programs say of the same files; encoders pad, so lengths differ by less than two tenths of a second. */
const files = [
  ["tone.wav", 1.5, "audio/x-wav", "audio/x-wav"],
  ["tone.mp3", 1.656, "audio/x-mp3", "audio/x-mp3"],
  ["tone.m4a", 1.5, "audio/x-m4a", "audio/x-mp4"],
  ["tone.mov", 1.5, "video/quicktime", "video/quicktime"],
  ["meeting.mp4", 2, "video/x-mp4", "video/x-mp4"],
  ["vorbis.ogg", 1.5, "audio/ogg", "audio/ogg"],
  ["opus.ogg", 1.5, "audio/ogg", "audio/ogg"],
  ["tone.webm", 1.508, "audio/webm", "audio/webm"],
  ["tone.flac", 1, "audio/flac", "audio/flac"],
] as const;

test.each(files)("%s is read from the file itself", async (name, seconds, byName, byContent) => {
  const named = await recordingInfo(fixture(name), { filename: name });
  expect(Math.abs((named.duration ?? 0) - seconds)).toBeLessThan(0.2);
  expect(named.mediatype).toBe(byName);
  // The library does not read the channels of QuickTime.
  if (name !== "tone.mov") expect(named.channels).toBeGreaterThan(0);
  const nameless = await recordingInfo(fixture(name));
  expect(nameless).toMatchObject({ duration: named.duration, mediatype: byContent });
});

test.each(files.map(([name]) => name))("%s is read whatever its name says", async (name) => {
  const { duration } = await recordingInfo(fixture(name));
  for (const filename of ["call.wav", "call.mp3", "call.mov", "notes.txt"]) {
    expect(await recordingInfo(fixture(name), { filename })).toMatchObject({ duration });
  }
  const mediatype = "application/octet-stream";
  expect(await recordingInfo(fixture(name), { mediatype })).toMatchObject({ duration, mediatype });
});

test("a recording that does not say its length has none", async () => {
  expect(await recordingInfo(fixture("live.webm"), { filename: "live.webm" })).toEqual({
    duration: undefined,
    channels: 1,
    mediatype: "audio/webm",
    createdAt: undefined,
  });
});

test("when a recording was made", async () => {
  expect((await recordingInfo(fixture("meeting.mp4"))).createdAt).toBe(Date.parse("2026-03-04T10:00:00Z"));
  expect((await recordingInfo(fixture("tone.wav"))).createdAt).toBeUndefined();
});

test("a media type that is given is kept", async () => {
  expect(await recordingInfo(fixture("tone.wav"), { mediatype: "audio/vnd.wave" })).toMatchObject({
    duration: 1.5,
    mediatype: "audio/vnd.wave",
  });
});

test.each(files.map(([name]) => name))("%s, damaged, gives no error", async (name) => {
  const bytes = fixture(name);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(bytes.length),
      fc.nat(bytes.length - 1),
      fc.nat(255),
      async (length, at, value) => {
        const damaged = bytes.slice(0, length);
        if (at < length) damaged[at] = value;
        const { duration } = await recordingInfo(damaged);
        expect(duration === undefined || (duration >= 0 && Number.isFinite(duration))).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

test("what is no recording gives no answers", async () => {
  const nothing = { duration: undefined, channels: undefined, mediatype: undefined, createdAt: undefined };
  expect(await recordingInfo(new Uint8Array())).toEqual(nothing);
  expect(await recordingInfo(new TextEncoder().encode("hello, this is text".repeat(50)))).toEqual(nothing);
});

test.each(["a.wav", "a.m4a", "a.mp4", "a.mov", "a.ogg", "a.flac"])(
  "noise named %s has no length",
  async (name) => {
    // A fixed xorshift, so that every run sees the same noise.
    let state = 2463534242;
    const noise = new Uint8Array(50_000).map(() => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state;
    });
    expect(await recordingInfo(noise, { filename: name })).toEqual({
      duration: undefined,
      channels: undefined,
      mediatype: mediatypeOf(name),
      createdAt: undefined,
    });
  },
);

test.each(["meeting.mp4", "tone.m4a", "tone.mov", "opus.ogg", "vorbis.ogg"])(
  "%s, cut in half, does not tell its length any more",
  async (name) => {
    const bytes = fixture(name);
    const half = bytes.slice(0, bytes.length / 2);
    expect((await recordingInfo(half, { filename: name })).duration).toBeUndefined();
  },
);

test("media types by name", () => {
  expect(["A.WAV", "b.x.mp3", "noext", "c.vtt", "d.unknown", ""].map(mediatypeOf)).toEqual([
    "audio/x-wav",
    "audio/x-mp3",
    undefined,
    "text/vtt",
    undefined,
    undefined,
  ]);
});
