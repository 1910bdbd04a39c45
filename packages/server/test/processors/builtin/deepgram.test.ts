import { type JsonObject, transcript } from "@vconductor/vcon";
import { beforeEach, describe, expect, it } from "vitest";
import { deepgram } from "../../../src/processors/builtin/deepgram.ts";
import { deepgramDouble } from "../../doubles/deepgram.ts";
import { wav } from "../../doubles/wav.ts";
import { runProcessor } from "../run-processor.ts";
import { vcon } from "../sample.ts";
import { rejected } from "../thrown.ts";

const double = await deepgramDouble("dg-test");
beforeEach(() => double.reset());

const env = { FETCH_ALLOW: double.host, DEEPGRAM_BASE_URL: double.url, DEEPGRAM_KEY: "dg-test" };
const recording = {
  type: "recording",
  start: "2026-03-02T10:00:00Z",
  parties: [0, 1],
  mediatype: "audio/x-wav",
  encoding: "base64url",
  body: Buffer.from(wav({ seconds: 4 })).toString("base64url"),
};
const call: JsonObject = { ...vcon("a"), dialog: [...(vcon("a").dialog ?? []), recording] };

const run = (options: object, more: object = {}) =>
  runProcessor({ processor: deepgram, options, vcons: [call], env, ...more });

describe("deepgram", () => {
  it("adds the reference's analysis to recordings, and only that", async () => {
    const { io, usage } = await run({});
    const [analysis, ...more] = io.vcon(0).analysis ?? [];
    expect(more).toEqual([]);
    expect(analysis).toEqual({
      type: "transcript",
      dialog: 2,
      vendor: "deepgram",
      product: "transcription",
      schema: "deepgram_prerecorded",
      mediatype: "application/json",
      encoding: "json",
      body: expect.objectContaining({ metadata: expect.anything(), results: expect.anything() }),
    });
    expect(double.received.map(({ path }) => path)).toEqual([
      "/v1/listen?model=nova-3&language=en&punctuate=true&smart_format=true&diarize=true",
    ]);
    expect(usage).toEqual([{ provider: "deepgram", model: "nova-3", audioSeconds: 4 }]);
    const turns = transcript(io.vcon(0)).filter(({ source }) => source === "deepgram");
    expect(turns.map(({ party, text }) => [party, text])).toEqual([
      [0, "Hello, Harbour Bakery."],
      [1, "Do you have rye bread?"],
    ]);
  });

  it("does nothing without a key", async () => {
    const { io } = await run({}, { env: { ...env, DEEPGRAM_KEY: "" } });
    expect(io.vcon(0)).toEqual(call);
    expect(double.received).toEqual([]);
  });

  it.each(["transcript", "wtf_transcription"])("leaves a dialog that has a %s of anyone", async (type) => {
    const analysis = [{ type, dialog: 2, vendor: "someone", encoding: "none", body: "Hello" }];
    const { io } = await run({}, { vcons: [{ ...call, analysis }] });
    expect(io.vcon(0).analysis).toEqual(analysis);
    expect(double.received).toEqual([]);
  });

  it("honours language, model and selection, and can add the World Transcription Format", async () => {
    const { io } = await run({ language: "de", model: "nova-2", wtf: true, input_dialogs: [2] });
    expect(double.received[0]?.path).toContain("model=nova-2&language=de");
    expect(io.vcon(0).analysis?.map(({ type }) => type)).toEqual(["transcript", "wtf_transcription"]);
    double.reset();
    await run({ input_dialogs: "0:2" });
    expect(double.received).toEqual([]);
  });

  it("fails when Deepgram does, and takes no part of it", async () => {
    const error = await rejected(run({}, { env: { ...env, DEEPGRAM_KEY: "old-key" } }));
    expect(error.message).toMatch(/^deepgram answered 401/);
    expect(error.message).not.toContain("old-key");
  });
});
