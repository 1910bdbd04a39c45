import { beforeEach, expect, it } from "vitest";
import { deepgram } from "../../../src/providers/transcription/deepgram.ts";
import { deepgramDouble } from "../../doubles/deepgram.ts";
import { wav } from "../../doubles/wav.ts";
import { rejected } from "../../processors/thrown.ts";
import { audio, contextWith, options } from "./transcriber-context.ts";

const call = [
  [{ speaker: 0, text: "Hello?", start: 0.2, end: 1.4 }],
  [{ speaker: 0, text: "Good morning.", start: 0.9, end: 2 }],
];
const double = await deepgramDouble("dg-test");
const stereo = await deepgramDouble("dg-test", call);
beforeEach(() => {
  double.reset();
  stereo.reset();
});

const env = { DEEPGRAM_BASE_URL: double.url, DEEPGRAM_KEY: "dg-test" };

it("sends the recording as it is and reads paragraphs and words", async () => {
  const context = contextWith(env);
  const { transcript, schema, model } = await deepgram.transcribe(context, audio, options);
  expect([schema, model]).toEqual(["deepgram_prerecorded", "nova-3"]);
  const [request] = double.received;
  expect(request?.path).toBe(
    "/v1/listen?model=nova-3&language=en&punctuate=true&smart_format=true&diarize=true",
  );
  expect(request?.headers["content-type"]).toBe("audio/x-wav");
  expect(Buffer.compare(request?.body ?? Buffer.alloc(0), audio.bytes)).toBe(0);
  expect(transcript).toMatchObject({ language: "en", duration: 4 });
  expect(transcript.segments).toEqual([
    { text: "Hello, Harbour Bakery.", start: 0.2, end: 1.4, confidence: 0.9, speaker: 0, channel: undefined },
    { text: "Do you have rye bread?", start: 1.8, end: 3.2, confidence: 0.9, speaker: 1, channel: undefined },
  ]);
  expect(transcript.words[1]).toMatchObject({ text: "Harbour", confidence: 0.9, speaker: 0 });
  expect(context.usage).toEqual([{ provider: "deepgram", model: "nova-3", audioSeconds: 4 }]);
});

it("transcribes channels by themselves, in order of time, and each is paid for", async () => {
  const context = contextWith({ ...env, DEEPGRAM_BASE_URL: stereo.url });
  const both = { ...audio, bytes: wav({ seconds: 4, peaks: [0.5, 0.2] }) };
  const { transcript } = await deepgram.transcribe(context, both, { ...options, multichannel: true });
  expect(stereo.received[0]?.path).toContain("multichannel=true");
  expect(transcript.segments.map(({ channel, text }) => [channel, text])).toEqual([
    [0, "Hello?"],
    [1, "Good morning."],
  ]);
  expect(transcript.words.map(({ channel, text }) => [channel, text])).toEqual([
    [0, "Hello?"],
    [1, "Good"],
    [1, "morning."],
  ]);
  expect(context.usage).toEqual([{ provider: "deepgram", model: "nova-3", audioSeconds: 8 }]);
});

it("has the language found out", async () => {
  const { transcript } = await deepgram.transcribe(contextWith(env), audio, {
    ...options,
    language: "",
    diarize: false,
  });
  expect(double.received[0]?.path).toContain("detect_language=true");
  expect(transcript.language).toBe("de");
  expect(transcript.segments[0]?.speaker).toBeUndefined();
});

it("reads words where there are no paragraphs", async () => {
  const words = [
    { word: "one", start: 0, end: 0.5, confidence: 1.5, speaker: 0 },
    { word: "two", start: 0.6, end: 1, speaker: 0 },
    { word: "three", start: 1.1, end: 1.5, speaker: 1 },
    { word: "four", start: 9, end: 9.5, speaker: 1 },
    { word: "lost" },
  ];
  const results = { channels: [{ alternatives: [{ transcript: "one two three four", words }] }] };
  double.troubles({ body: { results } });
  const { transcript } = await deepgram.transcribe(contextWith(env), audio, options);
  expect(transcript.segments.map(({ text, speaker, end }) => [text, speaker, end])).toEqual([
    ["one two", 0, 1],
    ["three", 1, 1.5],
    ["four", 1, 9.5],
  ]);
  expect(transcript.words[0]?.confidence).toBe(1);
});

it("fails with what Deepgram says", async () => {
  const broken = await rejected(
    deepgram.transcribe(contextWith(env), { ...audio, bytes: Buffer.from("no sound") }, options),
  );
  expect(broken.message).toMatch(/^deepgram answered 400: .*corrupt or unsupported data/);
  const wrongKey = await rejected(
    deepgram.transcribe(contextWith({ ...env, DEEPGRAM_KEY: "old" }), audio, options),
  );
  expect(wrongKey.message).toMatch(/^deepgram answered 401: .*Invalid credentials/);
  double.troubles({ body: { metadata: {} } });
  const empty = await rejected(deepgram.transcribe(contextWith(env), audio, options));
  expect(empty).toMatchObject({ code: "provider_failed", message: "deepgram: the answer has no results" });
});

it("asks again after 429 and 500", async () => {
  double.troubles({ status: 429, headers: { "retry-after": "0" } }, { status: 500 });
  await deepgram.transcribe(contextWith(env), audio, options);
  expect(double.received.map(({ body }) => body.length)).toEqual([64_044, 64_044, 64_044]);
});

it("needs a key", async () => {
  const error = await rejected(deepgram.transcribe(contextWith({}), audio, options));
  expect(error).toMatchObject({ code: "invalid_options", message: expect.stringContaining("DEEPGRAM_KEY") });
});
