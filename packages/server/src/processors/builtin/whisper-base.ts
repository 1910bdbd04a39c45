import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { defineProcessor } from "../define.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";
import { addWhisper, type WhisperOutput, whisperOutputs } from "../transcription/whisper-analyses.ts";

export const whisperBase = defineProcessor({
  name: "whisper_base",
  title: "Transcribe with Whisper",
  description:
    "Has the recordings of the selected dialogs transcribed by the Whisper server at WHISPER_BASE_URL, and adds the " +
    "transcript with the times of its words, and subtitles. What a dialog has already is not made again. The processor " +
    "transcribe can do more.",
  version: "1.0.0",
  options: Type.Object({
    language: Type.String({
      title: "language",
      description: 'That is spoken, as a code such as "en" or "de". "" has Whisper find out.',
      default: "en",
    }),
    input_dialogs: { ...inputDialogs, default: "0:" },
    output_types: Type.Array(Type.String(), {
      title: "outputs",
      description:
        "vendor: the transcript as JSON; word_srt: its words as SubRip subtitles; word_ass: as Advanced SubStation Alpha " +
        "subtitles. [] stands for all.",
      default: [...whisperOutputs],
    }),
    model: Type.String({
      title: "model",
      description: "As the server calls it; some servers have one model and do not look.",
      default: "whisper-1",
    }),
  }),
  example: {
    about: "Transcribes all recordings, without subtitles.",
    options: { output_types: ["vendor"] },
  },
  async process(io, options, context) {
    const { language, input_dialogs, input_vcon_index, model } = options;
    if ("model_size" in options) {
      context.log.warn(
        { processor: "whisper_base" },
        "model_size has no effect: the server at WHISPER_BASE_URL has the model; see the option model",
      );
    }
    const outputs = outputsOf(options.output_types);
    if ((context.setting("WHISPER_BASE_URL") ?? "") === "") {
      throw new VconductorError(
        "invalid_options",
        "whisper_base needs WHISPER_BASE_URL, which is not set; set it in the server's environment to the address of " +
          "a Whisper server with OpenAI's API",
      );
    }
    const vcon = io.peekVcon(input_vcon_index);
    const dialogs = selectDialogs(input_dialogs, vcon.dialog?.length ?? 0);
    const result = await addWhisper(vcon, { context, dialogs, language, model, outputs });
    if (result !== vcon) io.update(result);
    return io;
  },
});

function outputsOf(given: readonly string[]): readonly WhisperOutput[] {
  const unknown = given.find((name) => !whisperOutputs.some((known) => known === name));
  if (unknown !== undefined) {
    throw new VconductorError(
      "invalid_options",
      `output_types has ${JSON.stringify(unknown)}, which is none of ${whisperOutputs.join(", ")}`,
    );
  }
  return given.length === 0 ? whisperOutputs : whisperOutputs.filter((known) => given.includes(known));
}
