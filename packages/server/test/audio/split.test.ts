import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutPlaces } from "../../src/audio/cut.ts";
import { mix, toRate } from "../../src/audio/samples.ts";
import { type SplitOptions, splitAudio } from "../../src/audio/split.ts";
import { writeWav } from "../../src/audio/wav.ts";
import { readWav, wav } from "../doubles/wav.ts";
import { rejected } from "../processors/thrown.ts";

const unlimited: SplitOptions = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxSeconds: Number.MAX_SAFE_INTEGER,
  perChannel: false,
  signal: new AbortController().signal,
};

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../vcon/test/fixtures/media/${name}`, import.meta.url)));

/** A tone with silences. @param pieces seconds, a tone first, then by turns silence and tone */
function speech(pieces: readonly number[], rate = 8000): Float32Array {
  return Float32Array.from(
    pieces.flatMap((seconds, index) =>
      Array.from({ length: Math.round(seconds * rate) }, (_, at) =>
        index % 2 === 0 ? 0.5 * Math.sin((2 * Math.PI * 440 * at) / rate) : 0,
      ),
    ),
  );
}

describe("splitAudio", () => {
  it.each([
    ["tone.wav", 1.5, 8000],
    ["tone.mp3", 1.5, 8000],
    ["tone.m4a", 1.5, 8000],
    ["meeting.mp4", 2, 8000],
    ["vorbis.ogg", 1.5, 8000],
    ["opus.ogg", 1.5, 16_000],
    ["tone.webm", 1.5, 16_000],
    ["tone.flac", 1, 8000],
  ])("decodes %s", async (name, seconds, rate) => {
    const parts = await splitAudio(fixture(name), unlimited);
    expect(parts.map(({ offset, channel }) => [offset, channel])).toEqual([[0, undefined]]);
    const info = readWav(parts[0]?.bytes ?? new Uint8Array());
    expect(info).toMatchObject({ channels: 1, rate });
    // Encoders fill up their last block.
    expect(info?.seconds).toBeGreaterThan(seconds - 0.05);
    expect(info?.seconds).toBeLessThan(seconds + 0.2);
    expect(info?.peak).toBeGreaterThan(0.05);
  });

  it("cuts in the middle of the longest silence that is late enough", async () => {
    const parts = await splitAudio(writeWav(speech([1, 0.2, 2, 0.6, 1, 0.3, 2]), 8000), {
      ...unlimited,
      maxSeconds: 5,
    });
    expect(parts.map(({ offset, duration }) => [offset, duration])).toEqual([
      [0, 3.5],
      [3.5, expect.closeTo(3.6, 5)],
    ]);
  });

  it("keeps every part small enough, header and all", async () => {
    const parts = await splitAudio(writeWav(speech([10]), 8000), { ...unlimited, maxBytes: 44 + 8000 });
    expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(8044);
    expect(parts.reduce((sum, { duration }) => sum + duration, 0)).toBeCloseTo(10, 6);
  });

  it("splits channels, and leaves out one on which nothing is heard", async () => {
    const stereo = wav({ seconds: 1, peaks: [0.5, 0, 0.1] });
    const parts = await splitAudio(stereo, { ...unlimited, perChannel: true });
    expect(parts.map(({ channel }) => channel)).toEqual([0, 2]);
    expect(parts.map(({ bytes }) => readWav(bytes)?.peak)).toEqual([
      expect.closeTo(0.5, 2),
      expect.closeTo(0.1, 2),
    ]);
    const mixed = await splitAudio(stereo, unlimited);
    expect(mixed.map(({ bytes }) => readWav(bytes)?.peak)).toEqual([expect.closeTo(0.2, 2)]);
  });

  it("gives nothing for silence", async () => {
    expect(await splitAudio(wav({ seconds: 1, peaks: [0] }), unlimited)).toEqual([]);
  });

  it.each([
    ["text", new TextEncoder().encode("this is no recording, whatever its name says")],
    ["nothing", new Uint8Array()],
    ["a header alone", wav({ seconds: 0 })],
    ["half a file", fixture("tone.m4a").subarray(0, 400)],
  ])("says that it cannot decode %s", async (_, bytes) => {
    const error = await rejected(splitAudio(bytes, unlimited));
    expect(error.code).toBe("invalid_vcon");
    expect(error.message).toMatch(/^the recording cannot be decoded: ./);
  });

  it("ends its thread when it is stopped", async () => {
    const stop = new AbortController();
    const running = splitAudio(fixture("tone.mp3"), { ...unlimited, signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    await expect(splitAudio(fixture("tone.mp3"), { ...unlimited, signal: stop.signal })).rejects.toThrow(
      "stopped",
    );
  });
});

describe("cutPlaces", () => {
  it("covers everything in parts that are not too long", () => {
    const pieces = fc.array(fc.double({ min: 0.01, max: 1.5, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 4000 }), (lengths, most) => {
        const samples = speech(lengths, 1000);
        const ends = cutPlaces(samples, { rate: 1000, most });
        expect(ends.at(-1) ?? 0).toBe(samples.length);
        for (const [index, end] of ends.entries()) {
          const length = end - (ends[index - 1] ?? 0);
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("cuts in the quietest moment of the last tenth where it is never silent", () => {
    const samples = speech([10], 1000).map((sample, at) => (at > 4700 && at < 4760 ? sample * 0.4 : sample));
    const [first = 0] = cutPlaces(samples, { rate: 1000, most: 5000 });
    expect(first).toBeGreaterThan(4700);
    expect(first).toBeLessThan(4760);
  });

  it("takes steady noise for silence, and a word for none", () => {
    const noise = Float32Array.from({ length: 10_000 }, (_, at) => {
      const hum = 0.02 * Math.sin(at);
      return at % 2500 < 2000 ? hum + 0.5 * Math.sin(at * 0.7) : hum;
    });
    const [first = 0] = cutPlaces(noise, { rate: 1000, most: 5000 });
    expect(Math.abs(first - 4750)).toBeLessThan(60);
  });
});

describe("samples", () => {
  it("are mixed to their mean", () => {
    expect([...mix([Float32Array.of(1, 0), Float32Array.of(0, -1)])]).toEqual([0.5, -0.5]);
    expect([...mix([])]).toEqual([]);
  });

  it("become fewer without becoming shorter or quieter", () => {
    const tone = speech([1], 48_000);
    const fewer = toRate(tone, { from: 48_000, to: 16_000 });
    expect(fewer.length).toBe(16_000);
    expect(Math.max(...fewer)).toBeCloseTo(0.5, 2);
    expect(toRate(tone, { from: 8000, to: 16_000 })).toBe(tone);
  });
});
