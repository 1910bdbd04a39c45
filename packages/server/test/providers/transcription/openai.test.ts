import { beforeEach, describe, expect, it } from "vitest";
import { azure } from "../../../src/providers/transcription/azure.ts";
import { groq } from "../../../src/providers/transcription/groq.ts";
import { openai } from "../../../src/providers/transcription/openai.ts";
import { whisper } from "../../../src/providers/transcription/whisper.ts";
import { openAiAudioDouble, transcriptionRequests } from "../../doubles/openai-audio.ts";
import { ProviderDouble } from "../../doubles/provider.ts";
import { wav } from "../../doubles/wav.ts";
import { rejected } from "../../processors/thrown.ts";
import { audio, contextWith, options } from "./transcriber-context.ts";

const double = await openAiAudioDouble({ key: "sk-test" });
const keyless = await openAiAudioDouble({ words: "tokens" });
const jsonOnly = await openAiAudioDouble({ key: "sk-test", jsonOnly: true });
const failing = await ProviderDouble.start(() => ({ body: { error: "failed to read WAV file" } }));
beforeEach(() => {
  for (const each of [double, keyless, jsonOnly, failing]) each.reset();
});

const env = { OPENAI_BASE_URL: `${double.url}/v1`, OPENAI_API_KEY: "sk-test" };

describe("openai", () => {
  it("asks for words and segments, and reads them", async () => {
    const context = contextWith(env);
    const { transcript, vendor, schema, model } = await openai.transcribe(context, audio, {
      ...options,
      language: "en-US",
    });
    expect([schema, model]).toEqual(["openai_verbose_json", "whisper-1"]);
    expect(vendor).toMatchObject({ task: "transcribe", language: "english" });
    expect(transcript).toMatchObject({
      text: "Hello, Harbour Bakery. Do you have rye bread?",
      language: "en",
      duration: 4,
      segments: [
        { text: "Hello, Harbour Bakery.", start: 0.2, end: 1.4, confidence: 0.9048 },
        { text: "Do you have rye bread?", start: 1.8, end: 3.2, confidence: 0.9048 },
      ],
    });
    expect(transcript.words).toHaveLength(8);
    expect(transcript.words[0]).toMatchObject({ text: "Hello", start: 0.2 });
    expect(context.usage).toEqual([{ provider: "openai", model: "whisper-1", audioSeconds: 4 }]);
    const [request] = await transcriptionRequests(double);
    expect(double.received[0]?.path).toBe("/v1/audio/transcriptions");
    expect([...(request?.form.keys() ?? [])].toSorted()).toEqual([
      "file",
      "language",
      "model",
      "response_format",
      "timestamp_granularities[]",
      "timestamp_granularities[]",
    ]);
    expect(request).toMatchObject({ filename: "recording.wav", type: "audio/wav", wav: { seconds: 4 } });
  });

  it("takes text without times from the models that give no more", async () => {
    const context = contextWith(env);
    const given = { ...options, model: "gpt-4o-mini-transcribe", language: "" };
    const { transcript, schema } = await openai.transcribe(context, audio, given);
    expect(schema).toBe("openai_json");
    expect(transcript).toEqual({
      text: "Hello, Harbour Bakery. Do you have rye bread?",
      language: undefined,
      duration: 4,
      segments: [{ text: "Hello, Harbour Bakery. Do you have rye bread?", start: 0, end: 4 }],
      words: [],
    });
    const [request] = await transcriptionRequests(double);
    expect(request?.form.has("language")).toBe(false);
    expect(context.usage).toEqual([{ provider: "openai", model: "gpt-4o-mini-transcribe", audioSeconds: 4 }]);
  });

  it("has voices told apart by the model that can", async () => {
    const given = { ...options, model: "gpt-4o-transcribe-diarize" };
    const { transcript, schema } = await openai.transcribe(contextWith(env), audio, given);
    expect(schema).toBe("openai_diarized_json");
    expect(transcript.segments.map(({ speaker }) => speaker)).toEqual(["A", "B"]);
  });

  it("says what the provider says of a key that is not right, without asking again", async () => {
    const context = contextWith({ ...env, OPENAI_API_KEY: "sk-old" });
    const error = await rejected(openai.transcribe(context, audio, options));
    expect(error).toMatchObject({
      code: "provider_failed",
      message: expect.stringContaining("openai answered 401: "),
    });
    expect(double.received).toHaveLength(1);
    expect(context.usage).toEqual([]);
  });

  it("asks again, with the whole recording, after a busy answer, a failure and half an answer", async () => {
    double.troubles({ status: 429, headers: { "retry-after": "0" } }, "truncated");
    await openai.transcribe(contextWith(env), audio, options);
    const sizes = double.received.map(({ body }) => body.length);
    expect(sizes).toHaveLength(3);
    expect(Math.min(...sizes)).toBeGreaterThan(audio.bytes.length);
    double.reset();
    double.troubles({ status: 500 }, { status: 503 }, { status: 500, body: "still down" });
    const error = await rejected(openai.transcribe(contextWith(env), audio, options));
    expect(error.message).toBe("openai answered 500: still down");
  });

  it("stops waiting when the run is cancelled", async () => {
    const controller = new AbortController();
    double.troubles("hang");
    const answer = openai.transcribe(contextWith(env, controller.signal), audio, options);
    await double.next();
    controller.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  });

  it("does not take an answer without end", async () => {
    double.troubles("huge");
    const error = await rejected(openai.transcribe(contextWith(env), audio, options));
    expect(error.code).toBe("fetch_refused");
  });

  it.each([{}, [], "text", { text: 5 }, { segments: [] }])("cannot read %j", async (body) => {
    double.troubles({ body: JSON.stringify(body) });
    const context = contextWith(env);
    const error = await rejected(openai.transcribe(context, audio, options));
    expect(error).toMatchObject({
      code: "provider_failed",
      message: expect.stringMatching(/^openai: the answer/),
    });
    expect(context.usage).toEqual([]);
  });

  it("tells calls apart by all that the answer depends on, and gives neither bytes nor keys away", async () => {
    const context = contextWith(env);
    await openai.transcribe(context, audio, options);
    await openai.transcribe(context, audio, options);
    await openai.transcribe(context, { ...audio, bytes: wav({ seconds: 1 }) }, options);
    await openai.transcribe(context, audio, { ...options, language: "de" });
    await openai.transcribe(context, audio, { ...options, model: "gpt-4o-transcribe" });
    const texts = context.requests.map((request) => JSON.stringify(request));
    expect(texts[0]).toBe(texts[1]);
    expect(new Set(texts).size).toBe(4);
    expect(texts.join("")).not.toContain("sk-test");
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(500);
  });
});

describe("others with OpenAI's API", () => {
  it("groq", async () => {
    const context = contextWith({ GROQ_BASE_URL: `${double.url}/openai/v1/`, GROQ_API_KEY: "sk-test" });
    const { model, transcript } = await groq.transcribe(context, audio, options);
    expect(model).toBe("whisper-large-v3-turbo");
    expect(transcript.segments).toHaveLength(2);
    expect(double.received[0]?.path).toBe("/openai/v1/audio/transcriptions");
    expect(context.usage).toEqual([{ provider: "groq", model: "whisper-large-v3-turbo", audioSeconds: 4 }]);
  });

  it("azure, by deployment", async () => {
    const context = contextWith({ AZURE_OPENAI_ENDPOINT: double.url, AZURE_OPENAI_API_KEY: "sk-test" });
    await azure.transcribe(context, audio, { ...options, model: "my whisper" });
    expect(double.received[0]?.path).toMatch(
      /^\/openai\/deployments\/my%20whisper\/audio\/transcriptions\?api-version=/,
    );
    expect(double.received[0]?.headers["api-key"]).toBe("sk-test");
  });

  it("falls back to text when a deployment turns out to give no times", async () => {
    const context = contextWith({ AZURE_OPENAI_ENDPOINT: jsonOnly.url, AZURE_OPENAI_API_KEY: "sk-test" });
    const { schema } = await azure.transcribe(context, audio, { ...options, model: "ears" });
    expect(schema).toBe("openai_json");
    expect(jsonOnly.received).toHaveLength(2);
    expect(context.usage).toHaveLength(1);
  });

  it("whisper.cpp: joins tokens to words", async () => {
    const context = contextWith({ WHISPER_BASE_URL: `${keyless.url}/v1` });
    const { transcript } = await whisper.transcribe(context, audio, options);
    expect(transcript.words.map(({ text }) => text)).toEqual(
      "Hello, Harbour Bakery. Do you have rye bread?".split(" "),
    );
    expect(transcript.words[0]).toMatchObject({ start: 0.2, confidence: 0.8 });
    expect(keyless.received[0]?.headers.authorization).toBeUndefined();
  });

  it("whisper.cpp: a failure that is answered with 200", async () => {
    const context = contextWith({ WHISPER_BASE_URL: failing.url });
    const error = await rejected(whisper.transcribe(context, audio, options));
    expect(error.message).toBe("whisper: failed to read WAV file");
  });

  it("whisper: the key of the settings goes to the address of the settings only", async () => {
    const context = contextWith({ WHISPER_BASE_URL: `${double.url}/v1`, WHISPER_API_KEY: "sk-test" });
    await whisper.transcribe(context, audio, options);
    await whisper.transcribe(context, audio, { ...options, baseUrl: `${keyless.url}/v1` });
    await whisper.transcribe(context, audio, { ...options, baseUrl: keyless.url, apiKey: "own" });
    expect(double.received[0]?.headers.authorization).toBe("Bearer sk-test");
    expect(keyless.received.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer own"]);
  });

  it.each([
    [openai, "OPENAI_API_KEY"],
    [groq, "GROQ_API_KEY"],
    [azure, "AZURE_OPENAI_API_KEY"],
    [whisper, "WHISPER_BASE_URL"],
  ])("names what is not set: %#", async (provider, variable) => {
    const error = await rejected(provider.transcribe(contextWith({}), audio, options));
    expect(error).toMatchObject({ code: "invalid_options", message: expect.stringContaining(variable) });
  });
});
