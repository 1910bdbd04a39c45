import { contentHash, type JsonObject, transcript, type Vcon, validate } from "@vconductor/vcon";
import { beforeEach, describe, expect, it } from "vitest";
import { transcribe } from "../../../src/processors/builtin/transcribe.ts";
import { assemblyAiDouble } from "../../doubles/assemblyai.ts";
import { deepgramDouble } from "../../doubles/deepgram.ts";
import { openAiAudioDouble, transcriptionRequests } from "../../doubles/openai-audio.ts";
import { ProviderDouble } from "../../doubles/provider.ts";
import { wav } from "../../doubles/wav.ts";
import { runProcessor } from "../run-processor.ts";
import { rejected } from "../thrown.ts";

const loud = [{ text: "Hello?", start: 0.2, end: 1.4 }];
const quiet = [{ text: "Good morning.", start: 0.9, end: 2 }];
const deepgram = await deepgramDouble("dg-test");
const stereo = await deepgramDouble(
  "dg-test",
  [loud, quiet].map((lines) => lines.map((line) => ({ ...line, speaker: 0 }))),
);
const openai = await openAiAudioDouble({ key: "sk-test" });
const channels = await openAiAudioDouble({ hear: ({ peak }) => (peak > 0.4 ? loud : quiet) });
const assemblyai = await assemblyAiDouble("aa-test");
const mono = wav({ seconds: 4 });
const both = wav({ seconds: 4, peaks: [0.8, 0.1] });
const files = await ProviderDouble.start(({ path }) =>
  path === "/call.wav" ? { body: Buffer.from(mono) } : { status: 404 },
);
beforeEach(() => {
  for (const each of [deepgram, stereo, openai, channels, assemblyai, files]) each.reset();
});

const env = {
  FETCH_ALLOW: "127.0.0.1",
  DEEPGRAM_BASE_URL: deepgram.url,
  DEEPGRAM_KEY: "dg-test",
  OPENAI_BASE_URL: openai.url,
  OPENAI_API_KEY: "sk-test",
  ASSEMBLYAI_BASE_URL: assemblyai.url,
  ASSEMBLYAI_API_KEY: "aa-test",
  WHISPER_BASE_URL: channels.url,
};

function call(dialog: JsonObject = {}, bytes: Uint8Array = mono): Vcon {
  return {
    vcon: "0.4.0",
    uuid: "01945d6c-1d5a-8abc-9def-0123456789ab",
    created_at: "2026-03-02T10:00:00Z",
    parties: [{ name: "Ada Brandt" }, { name: "Bob" }, { tel: "+4930555010" }],
    dialog: [
      {
        type: "recording",
        start: "2026-03-02T10:00:00Z",
        parties: [0, 1],
        mediatype: "audio/x-wav",
        encoding: "base64url",
        body: Buffer.from(bytes).toString("base64url"),
        ...dialog,
      },
    ],
  };
}

const run = (options: object, given: Vcon = call(), more: object = {}) =>
  runProcessor({
    processor: transcribe,
    options: { provider: "deepgram", ...options },
    vcons: [given],
    env: { ...env, ...more },
  });

const turns = (vcon: Vcon) => transcript(vcon).map(({ party, text }) => [party, text]);
const errors = (vcon: Vcon) => validate(vcon).filter(({ severity }) => severity === "error");

describe("transcribe", () => {
  it("adds the vendor's transcript and one in the World Transcription Format", async () => {
    const { io, usage } = await run({});
    const result = io.vcon(0);
    expect(result.analysis).toEqual([
      expect.objectContaining({ type: "transcript", vendor: "deepgram", schema: "deepgram_prerecorded" }),
      {
        type: "wtf_transcription",
        dialog: 0,
        vendor: "deepgram",
        product: "nova-3",
        mediatype: "application/json",
        encoding: "json",
        body: expect.anything(),
      },
    ]);
    expect(result.analysis?.[1]?.body).toMatchObject({
      transcript: {
        text: "Hello, Harbour Bakery. Do you have rye bread?",
        language: "en",
        duration: 4,
        confidence: 0.9,
      },
      segments: [
        {
          id: 0,
          start: 0.2,
          end: 1.4,
          text: "Hello, Harbour Bakery.",
          confidence: 0.9,
          speaker: 0,
          words: [0, 1, 2],
        },
        { id: 1, start: 1.8, end: 3.2, speaker: 1, words: [3, 4, 5, 6, 7] },
      ],
      metadata: {
        created_at: expect.stringMatching(/^\d{4}-/),
        processed_at: expect.stringMatching(/Z$/),
        provider: "deepgram",
        model: "nova-3",
        audio: { duration: 4, channels: 1 },
      },
      speakers: {
        0: { id: 0, segments: [0], total_time: 1.2 },
        1: { id: 1, segments: [1], total_time: 1.4 },
      },
    });
    expect(result.extensions).toEqual(["wtf_transcription"]);
    expect(turns(result)).toEqual([
      [0, "Hello, Harbour Bakery."],
      [1, "Do you have rye bread?"],
    ]);
    expect(transcript(result)[0]?.source).toBe("wtf");
    expect(errors(result)).toEqual([]);
    expect(usage).toEqual([{ provider: "deepgram", model: "nova-3", audioSeconds: 4 }]);
  });

  it.each([
    ["openai", "openai_verbose_json", "whisper-1", [undefined, undefined]],
    ["openai", "openai_diarized_json", "gpt-4o-transcribe-diarize", [0, 1]],
    ["assemblyai", "assemblyai_transcript", "universal", [0, 1]],
  ])("with %s: %s", async (provider, schema, model, parties) => {
    const { io } = await run({ provider, model: model === "universal" ? "" : model });
    const [vendor, wtf] = io.vcon(0).analysis ?? [];
    expect(vendor).toMatchObject({ vendor: provider, schema, product: model });
    expect(wtf).toMatchObject({ vendor: provider, product: model });
    expect(transcript(io.vcon(0)).map(({ party }) => party)).toEqual(parties);
    expect(errors(io.vcon(0))).toEqual([]);
  });

  it("leaves dialogs that have a transcript, or transcribes them again in place of the same provider's", async () => {
    const other = { type: "transcript", dialog: 0, vendor: "someone", encoding: "none", body: "Hi" };
    const first = (await run({}, { ...call() })).io.vcon(0);
    const given = { ...first, analysis: [other, ...(first.analysis ?? [])] };
    deepgram.reset();
    expect((await run({}, given)).io.vcon(0)).toEqual(given);
    expect(deepgram.received).toEqual([]);
    const again = (await run({ overwrite: true, wtf: false }, given)).io.vcon(0);
    expect(again.analysis?.map(({ type, vendor }) => [type, vendor])).toEqual([
      ["transcript", "someone"],
      ["transcript", "deepgram"],
    ]);
    expect(deepgram.received).toHaveLength(1);
  });

  it("passes over what is no recording", async () => {
    const text = { type: "text", body: "Hello", encoding: "none", mediatype: "text/plain", parties: [0] };
    const dialog = [
      text,
      { type: "transfer" },
      { type: "incomplete", disposition: "busy" },
      { type: "recording", start: "2026-03-02T10:00:00Z" },
      { type: "recording", mediatype: "application/pdf", encoding: "base64url", body: "AAAA" },
      { type: "recording", encoding: "base64url", body: Buffer.from("no sound").toString("base64url") },
    ];
    const given = { ...call(), dialog };
    expect((await run({}, given)).io.vcon(0)).toEqual(given);
    expect(deepgram.received).toEqual([]);
  });

  it("finds out what a recording without a media type is, and takes video too", async () => {
    const { mediatype: _, ...untyped } = call().dialog?.[0] ?? {};
    const video = { ...untyped, type: "video", mediatype: "video/x-mp4" };
    const { io } = await run({}, { ...call(), dialog: [{ ...untyped, filename: "call" }, video] });
    expect(deepgram.received.map(({ headers }) => headers["content-type"])).toEqual([
      "audio/x-wav",
      "video/x-mp4",
    ]);
    expect(io.vcon(0).analysis?.map(({ dialog }) => dialog)).toEqual([0, 0, 1, 1]);
  });

  it("transcribes the selected dialogs", async () => {
    const [dialog = {}] = call().dialog ?? [];
    const given = { ...call(), dialog: [dialog, dialog, dialog] };
    const { io } = await run({ input_dialogs: "1:", wtf: false }, given);
    expect(io.vcon(0).analysis?.map((entry) => entry.dialog)).toEqual([1, 2]);
  });
});

describe("transcribe: speakers", () => {
  it("of a dialog with one party are that party", async () => {
    const { io } = await run({}, call({ parties: [1] }));
    expect(turns(io.vcon(0)).map(([party]) => party)).toEqual([1, 1]);
  });

  it("are told by the channel, with a provider that takes channels", async () => {
    const { io, usage } = await run({}, call({ parties: [1, 0] }, both), { DEEPGRAM_BASE_URL: stereo.url });
    expect(stereo.received[0]?.path).toMatch(/diarize=false&multichannel=true$/);
    expect(turns(io.vcon(0))).toEqual([
      [1, "Hello?"],
      [0, "Good morning."],
    ]);
    expect(io.vcon(0).analysis?.[1]).toHaveProperty("body.speakers", {
      0: { id: 0, label: "Bob", segments: [0], total_time: 1.2 },
      1: { id: 1, label: "Ada Brandt", segments: [1], total_time: 1.1 },
    });
    expect(usage).toEqual([{ provider: "deepgram", model: "nova-3", audioSeconds: 8 }]);
  });

  it("are told by the channel, of which each is a paid call, with one that does not", async () => {
    const { io, usage } = await run({ provider: "whisper" }, call({ parties: [2, 0] }, both));
    expect(channels.received).toHaveLength(2);
    expect(usage.map(({ audioSeconds }) => audioSeconds)).toEqual([4, 4]);
    expect(turns(io.vcon(0))).toEqual([
      [2, "Hello?"],
      [0, "Good morning."],
    ]);
    expect(errors(io.vcon(0))).toEqual([]);
  });

  it("are told from the vendor's own transcript too", async () => {
    const { io } = await run({ provider: "whisper", wtf: false }, call({ parties: [2, 0] }, both));
    expect(turns(io.vcon(0)).map(([party]) => party)).toEqual([2, 0]);
  });

  it("are not looked for on an unused channel", async () => {
    const { io } = await run({ provider: "whisper" }, call({ parties: [null, [1]] }, both));
    expect(channels.received).toHaveLength(1);
    expect(turns(io.vcon(0))).toEqual([[1, "Good morning."]]);
  });

  it("are not looked for where nothing is heard", async () => {
    const given = call({ parties: [0, 1] }, wav({ seconds: 4, peaks: [0, 0] }));
    const { io, usage } = await run({ provider: "whisper" }, given);
    expect([channels.received, usage, turns(io.vcon(0))]).toEqual([[], [], []]);
    expect(io.vcon(0).analysis).toMatchObject([
      { product: "whisper-1", body: { text: "", duration: 4 } },
      { body: { transcript: { text: "", language: "und" }, segments: [] } },
    ]);
    expect(errors(io.vcon(0))).toEqual([]);
  });

  it("are told apart though they have the same name", async () => {
    const given = { ...call({ parties: [1, 0] }, both), parties: [{ name: "Ann" }, { name: "ann" }] };
    const { io } = await run({}, given, { DEEPGRAM_BASE_URL: stereo.url });
    expect(turns(io.vcon(0)).map(([party]) => party)).toEqual([1, 0]);
  });

  it.each([
    ["mix", [0, 1]],
    ["auto", [0, 1, 2]],
  ])("%s with parties %j: the recording as it is", async (mode, parties) => {
    await run({ provider: "whisper", channels: mode }, call({ parties }, both));
    const requests = await transcriptionRequests(channels);
    expect(requests.map(({ wav: { channels: count } }) => count)).toEqual([2]);
  });
});

describe("transcribe: long recordings", () => {
  it("are cut and put together again", async () => {
    const { io, usage } = await run({ provider: "whisper", max_part_minutes: 0.03, model: "small" });
    const requests = await transcriptionRequests(channels);
    expect(requests.length).toBeGreaterThan(2);
    expect(Math.max(...requests.map(({ wav: { seconds } }) => seconds))).toBeLessThanOrEqual(1.81);
    expect(usage).toHaveLength(requests.length);
    expect(usage.reduce((sum, { audioSeconds = 0 }) => sum + audioSeconds, 0)).toBeCloseTo(4, 1);
    const [vendor, wtf] = io.vcon(0).analysis ?? [];
    const starts = transcript(io.vcon(0)).map(({ start = 0 }) => start - Date.parse("2026-03-02T10:00:00Z"));
    expect(starts).toHaveLength(requests.length);
    const lengths = requests.map(({ wav: { seconds } }) => seconds * 1000);
    const offsets = lengths.map((_, index) => lengths.slice(0, index).reduce((sum, each) => sum + each, 0));
    for (const [index, start] of starts.entries()) {
      expect(Math.abs(start - 200 - (offsets[index] ?? 0))).toBeLessThan(50);
    }
    expect(vendor).toMatchObject({ schema: "openai_verbose_json", product: "small" });
    expect(wtf).toMatchObject({ body: { transcript: { duration: 4 } } });
  });
});

describe("transcribe: where recordings are", () => {
  const external = (more: JsonObject) => {
    const { body: _, encoding: __, ...rest } = call().dialog?.[0] ?? {};
    return { ...call(), dialog: [{ ...rest, url: `${files.url}/call.wav`, ...more }] };
  };

  it("fetches them, and checks their hash", async () => {
    await run({}, external({ content_hash: await contentHash(mono) }));
    expect(deepgram.received[0]?.body.length).toBe(mono.length);
    const error = await rejected(run({}, external({ content_hash: await contentHash(both) })));
    expect(error.message).toMatch(/hash/);
    expect(deepgram.received).toHaveLength(1);
  });

  it("takes them from the media store first", async () => {
    const given = external({ url: "media:1", content_hash: [await contentHash(mono, "sha256")] });
    const media = {
      put: () => Promise.reject(new Error("nothing is stored here")),
      get: async (url: string) => (url === "media:1" ? mono : undefined),
    };
    await runProcessor({
      processor: transcribe,
      options: { provider: "deepgram" },
      vcons: [given],
      env,
      media,
    });
    expect(deepgram.received).toHaveLength(1);
    expect(files.received).toEqual([]);
  });

  it("says why one cannot be had", async () => {
    const unhashed = await rejected(run({}, external({})));
    expect(unhashed).toMatchObject({
      code: "fetch_refused",
      message: expect.stringContaining("dialog 0: its url is not https"),
    });
    const hashed = { content_hash: await contentHash(mono) };
    const missing = await rejected(run({}, external({ ...hashed, url: `${files.url}/gone.wav` })));
    expect(missing).toMatchObject({ code: "provider_failed", message: "dialog 0: its url answered 404" });
    const refused = await rejected(run({}, external(hashed), { FETCH_ALLOW: deepgram.host }));
    expect(refused.code).toBe("fetch_refused");
    expect(deepgram.received).toEqual([]);
  });
});

describe("transcribe: options", () => {
  it("names the key that is missing", async () => {
    const error = await rejected(run({}, call(), { DEEPGRAM_KEY: "" }));
    expect(error).toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining("DEEPGRAM_KEY"),
    });
  });

  it("takes another address for whisper only", async () => {
    const { io } = await run({ provider: "whisper", base_url: channels.url }, call(), {
      WHISPER_BASE_URL: "",
    });
    expect(io.vcon(0).analysis).toHaveLength(2);
    const error = await rejected(run({ provider: "openai", base_url: channels.url }));
    expect(error.message).toMatch(/^base_url is for the provider whisper only/);
  });

  it("needs a provider that it knows", async () => {
    expect((await rejected(run({ provider: "siri" }))).code).toBe("invalid_options");
    const without = runProcessor({ processor: transcribe, options: {}, vcons: [call()] });
    expect((await rejected(without)).code).toBe("invalid_options");
  });
});
