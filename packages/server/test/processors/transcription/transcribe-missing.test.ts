import { type JsonObject, transcript } from "@vconductor/vcon";
import { Type } from "typebox";
import { beforeEach, expect, it } from "vitest";
import { defineProcessor } from "../../../src/processors/define.ts";
import { transcribeMissing } from "../../../src/processors/transcription/transcribe-missing.ts";
import { openAiAudioDouble } from "../../doubles/openai-audio.ts";
import { wav } from "../../doubles/wav.ts";
import { runProcessor } from "../run-processor.ts";
import { vcon } from "../sample.ts";

const double = await openAiAudioDouble();
beforeEach(() => double.reset());

const probe = defineProcessor({
  name: "probe",
  title: "probe",
  description: "Says which dialogs are left without a transcript.",
  version: "1.0.0",
  options: Type.Object({ dialogs: Type.Array(Type.Integer(), { default: [0, 1, 2, 3] }) }),
  async process(io, { dialogs }, context) {
    io.parameters.set("left", [...(await transcribeMissing(io, { index: 0, dialogs, context }))]);
    return io;
  },
});

const recording = {
  type: "recording",
  start: "2026-03-02T10:00:00Z",
  parties: [0, 1],
  mediatype: "audio/x-wav",
  encoding: "base64url",
  body: Buffer.from(wav({ seconds: 1 })).toString("base64url"),
};
const given: JsonObject = {
  ...vcon("a"),
  dialog: [...(vcon("a").dialog ?? []), recording, { ...recording, start: "2026-03-02T11:00:00Z" }],
  analysis: [{ type: "transcript", dialog: 3, vendor: "someone", encoding: "none", body: "Yes." }],
};

it("transcribes what has no transcript with Whisper", async () => {
  const env = { FETCH_ALLOW: double.host, WHISPER_BASE_URL: double.url };
  const { io } = await runProcessor({ processor: probe, vcons: [given], env });
  expect(io.parameters.get("left")).toEqual([]);
  expect(double.received).toHaveLength(1);
  expect(io.vcon(0).analysis?.map(({ dialog, schema }) => [dialog, schema])).toEqual([
    [3, undefined],
    [2, "whisper_word_timestamps"],
    [2, "whisper_word_srt"],
    [2, "whisper_word_ass"],
  ]);
  expect(transcript(io.vcon(0)).filter(({ dialog }) => dialog === 2)).toHaveLength(2);
});

it("leaves them without a Whisper server, and says which", async () => {
  const { io } = await runProcessor({ processor: probe, vcons: [given] });
  expect(io.parameters.get("left")).toEqual([2]);
  expect(io.vcon(0)).toEqual(given);
});

it("does nothing for dialogs that were not selected", async () => {
  const env = { FETCH_ALLOW: double.host, WHISPER_BASE_URL: double.url };
  const run = { processor: probe, vcons: [given], env, options: { dialogs: [0, 3] } };
  const { io } = await runProcessor(run);
  expect(io.parameters.get("left")).toEqual([]);
  expect(double.received).toEqual([]);
});
