import { type JsonObject, transcript, validate } from "@vconductor/vcon";
import { beforeEach, describe, expect, it } from "vitest";
import { whisperBase } from "../../../src/processors/builtin/whisper-base.ts";
import { openAiAudioDouble, transcriptionRequests } from "../../doubles/openai-audio.ts";
import { wav } from "../../doubles/wav.ts";
import { runProcessor } from "../run-processor.ts";
import { rejected } from "../thrown.ts";

const hello = [{ text: "Hello, can you hear me?", start: 0, end: 1.5 }];
const double = await openAiAudioDouble({ hear: () => hello, words: "tokens" });
const wordless = await openAiAudioDouble({ hear: () => hello, words: "none" });
beforeEach(() => double.reset());

const env = { FETCH_ALLOW: "127.0.0.1", WHISPER_BASE_URL: `${double.url}/v1` };
const call: JsonObject = {
  vcon: "0.4.0",
  uuid: "01945d6c-1d5a-8abc-9def-0123456789ab",
  created_at: "2026-03-02T10:00:00Z",
  parties: [{ name: "Ada" }],
  dialog: [
    {
      type: "recording",
      start: "2026-03-02T10:00:00Z",
      parties: 0,
      mediatype: "audio/x-wav",
      encoding: "base64url",
      body: Buffer.from(wav({ seconds: 2 })).toString("base64url"),
    },
  ],
};

const run = (options: object, more: object = {}) =>
  runProcessor({ processor: whisperBase, options, vcons: [call], env, ...more });

describe("whisper_base", () => {
  it("adds the reference's three analyses", async () => {
    const { io, usage } = await run({});
    const mark = { type: "transcript", dialog: 0, vendor: "openai", product: "whisper" };
    const [json, srt, ass, ...more] = io.vcon(0).analysis ?? [];
    expect(more).toEqual([]);
    expect(json).toMatchObject({
      ...mark,
      schema: "whisper_word_timestamps",
      encoding: "json",
      body: {
        text: "Hello, can you hear me?",
        language: "en",
        segments: [{ id: 0, start: 0, end: 1.5, text: " Hello, can you hear me?" }],
      },
    });
    expect(json).toHaveProperty("body.segments.0.words.0", {
      word: " Hello,",
      start: 0,
      end: expect.closeTo(0.3, 1),
      probability: 0.8,
    });
    expect(json).toHaveProperty("body.segments.0.words.length", 5);
    expect(srt).toMatchObject({ ...mark, schema: "whisper_word_srt", encoding: "none" });
    expect(srt?.body).toMatch(/^1\n00:00:00,000 --> 00:00:00,\d{3}\nHello,\n\n2\n/);
    expect(ass).toMatchObject({ ...mark, schema: "whisper_word_ass", encoding: "none" });
    expect(ass?.body).toMatch(/^\[Script Info\]/);
    expect(usage).toEqual([{ provider: "whisper", model: "whisper-1", audioSeconds: 2 }]);
    expect(transcript(io.vcon(0)).map(({ party, text }) => [party, text])).toEqual([
      [0, "Hello, can you hear me?"],
    ]);
    expect(validate(io.vcon(0)).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("adds nothing when run again", async () => {
    const first = (await run({})).io.vcon(0);
    double.reset();
    const { io } = await run({}, { vcons: [first] });
    expect(io.vcon(0)).toEqual(first);
    expect(double.received).toEqual([]);
  });

  it("makes subtitles of an earlier transcript without another call", async () => {
    const first = (await run({ output_types: ["vendor"] })).io.vcon(0);
    expect(first.analysis).toHaveLength(1);
    double.reset();
    const { io } = await run({ output_types: [] }, { vcons: [first] });
    const whole = (await run({})).io.vcon(0);
    expect(io.vcon(0).analysis).toEqual(whole.analysis);
    expect(double.received).toHaveLength(1);
  });

  it("writes segments when the server gives no words", async () => {
    const { io } = await run({}, { env: { ...env, WHISPER_BASE_URL: wordless.url } });
    expect(io.vcon(0).analysis?.[1]?.body).toBe(
      "1\n00:00:00,000 --> 00:00:01,500\nHello, can you hear me?\n",
    );
  });

  it("sends language and model", async () => {
    await run({ language: "", model: "large" });
    const [request] = await transcriptionRequests(double);
    expect(request?.form.get("model")).toBe("large");
    expect(request?.form.has("language")).toBe(false);
  });

  it("warns of model_size and works on", async () => {
    const { io } = await run({ model_size: "tiny", output_types: ["word_srt"] });
    expect(io.vcon(0).analysis?.map(({ schema }) => schema)).toEqual(["whisper_word_srt"]);
  });

  it("names an output that it does not know", async () => {
    const error = await rejected(run({ output_types: ["vendor", "vtt"] }));
    expect(error).toMatchObject({ code: "invalid_options", message: expect.stringContaining('"vtt"') });
  });

  it("names the address that is missing", async () => {
    const error = await rejected(run({}, { env: {} }));
    expect(error).toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining("WHISPER_BASE_URL"),
    });
  });
});
