import { beforeEach, expect, it } from "vitest";
import { assemblyai } from "../../../src/providers/transcription/assemblyai.ts";
import { assemblyAiDouble } from "../../doubles/assemblyai.ts";
import { wav } from "../../doubles/wav.ts";
import { rejected } from "../../processors/thrown.ts";
import { audio, contextWith, options } from "./transcriber-context.ts";

const double = await assemblyAiDouble("aa-test");
const stereo = await assemblyAiDouble("aa-test", {
  heard: [
    { text: "Hello?", start: 200, end: 1400, speaker: "1", channel: "1" },
    { text: "Good morning.", start: 900, end: 2000, speaker: "2A", channel: "2" },
  ],
});
const failing = await assemblyAiDouble("aa-test", { error: "File contains no audio" });
beforeEach(() => {
  for (const each of [double, stereo, failing]) each.reset();
});

const env = { ASSEMBLYAI_BASE_URL: double.url, ASSEMBLYAI_API_KEY: "aa-test" };

it("uploads, orders, waits, and reads milliseconds as seconds", async () => {
  const context = contextWith(env);
  const { transcript, schema, model } = await assemblyai.transcribe(context, audio, {
    ...options,
    language: "en-US",
  });
  expect([schema, model]).toEqual(["assemblyai_transcript", "universal"]);
  expect(double.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /v2/upload",
    "POST /v2/transcript",
    "GET /v2/transcript/order-0",
    "GET /v2/transcript/order-0",
    "GET /v2/transcript/order-0",
  ]);
  expect(JSON.parse(String(double.received[1]?.body))).toEqual({
    audio_url: "https://cdn.assemblyai.test/upload/0",
    language_code: "en_us",
    speaker_labels: true,
  });
  expect(transcript).toMatchObject({
    text: "Hello, Harbour Bakery. Do you have rye bread?",
    language: "en-us",
    duration: 4,
  });
  expect(transcript.segments.map(({ start, end, speaker }) => [start, end, speaker])).toEqual([
    [0.2, 1.4, "A"],
    [1.8, 3.2, "B"],
  ]);
  expect(transcript.words).toHaveLength(8);
  expect(context.usage).toEqual([{ provider: "assemblyai", model: "universal", audioSeconds: 4 }]);
});

it("counts channels from nought, and voices on them by their letter", async () => {
  const context = contextWith({ ...env, ASSEMBLYAI_BASE_URL: stereo.url });
  const both = { ...audio, bytes: wav({ seconds: 4, peaks: [0.5, 0.2] }) };
  const given = { ...options, model: "universal-2", language: "", diarize: false, multichannel: true };
  const { transcript } = await assemblyai.transcribe(context, both, given);
  expect(transcript.segments.map(({ channel, speaker }) => [channel, speaker])).toEqual([
    [0, undefined],
    [1, "A"],
  ]);
  expect(JSON.parse(String(stereo.received[1]?.body))).toMatchObject({
    speech_models: ["universal-2"],
    language_detection: true,
    multichannel: true,
  });
  expect(context.usage).toEqual([{ provider: "assemblyai", model: "universal-2", audioSeconds: 8 }]);
});

it("makes segments of words when voices are not told apart", async () => {
  const { transcript } = await assemblyai.transcribe(contextWith(env), audio, { ...options, diarize: false });
  expect(transcript.segments.map(({ text }) => text)).toEqual([
    "Hello, Harbour Bakery.",
    "Do you have rye bread?",
  ]);
});

it("fails with what AssemblyAI says", async () => {
  const context = contextWith({ ...env, ASSEMBLYAI_BASE_URL: failing.url });
  const error = await rejected(assemblyai.transcribe(context, audio, options));
  expect(error).toMatchObject({
    code: "provider_failed",
    message: "assemblyai could not transcribe the recording: File contains no audio",
  });
  expect(context.usage).toEqual([]);
});

it("asks again after 429, 500 and half an answer", async () => {
  double.troubles({ status: 429, headers: { "retry-after": "0" } }, { status: 500 });
  await assemblyai.transcribe(contextWith(env), audio, options);
  expect(double.received.filter(({ path }) => path === "/v2/upload")).toHaveLength(3);
});

it("stops waiting when the run is cancelled", async () => {
  const controller = new AbortController();
  double.troubles("hang");
  const answer = assemblyai.transcribe(contextWith(env, controller.signal), audio, options);
  await double.next();
  controller.abort();
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
});

it("needs a key that is right", async () => {
  const missing = await rejected(assemblyai.transcribe(contextWith({}), audio, options));
  expect(missing).toMatchObject({
    code: "invalid_options",
    message: expect.stringContaining("ASSEMBLYAI_API_KEY"),
  });
  const wrong = contextWith({ ...env, ASSEMBLYAI_API_KEY: "old" });
  expect((await rejected(assemblyai.transcribe(wrong, audio, options))).message).toMatch(/answered 401/);
});
