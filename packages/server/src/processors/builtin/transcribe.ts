import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { transcriptionProviders } from "../../providers/transcription/providers.ts";
import { choice } from "../choice.ts";
import { defineProcessor } from "../define.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";
import { transcribeDialogs } from "../transcription/transcribe-dialogs.ts";

export const transcribe = defineProcessor({
  name: "transcribe",
  title: "Transcribe recordings",
  description:
    "Has the recordings of the selected dialogs transcribed, and adds each transcript as the provider gives it and in " +
    "the World Transcription Format, in which speakers are told as parties. Long recordings are cut for providers that " +
    "take short ones only. Dialogs that are no recordings, and those that have a transcript, are passed over.",
  version: "1.0.0",
  options: Type.Object({
    provider: choice(transcriptionProviders, {
      title: "provider",
      description:
        "Who transcribes. whisper: any server with OpenAI's API (whisper.cpp, faster-whisper, Speaches), at " +
        "WHISPER_BASE_URL or base_url. Keys are in the server's environment.",
    }),
    model: Type.String({
      title: "model",
      description:
        'For azure: the deployment. "" is the provider\'s usual one: nova-3 (deepgram), whisper-1 (openai, whisper), ' +
        "whisper-large-v3-turbo (groq), whisper (azure).",
      default: "",
    }),
    language: Type.String({
      title: "language",
      description: 'That is spoken, as a code such as "en" or "de". "" has the provider find out.',
      default: "en",
    }),
    input_dialogs: { ...inputDialogs, default: "0:" },
    diarize: Type.Boolean({
      title: "tell voices apart?",
      description:
        "deepgram and assemblyai always can; openai with the model gpt-4o-transcribe-diarize. Voices are taken to be the dialog's parties, in their order.",
      default: true,
    }),
    channels: choice(["auto", "mix", "separate"], {
      title: "channels",
      description:
        "separate: each channel of a recording by itself, as the party that is on it; mix: all together; auto: separate " +
        "if the dialog's parties say who is on which channel.",
      default: "auto",
    }),
    max_part_minutes: Type.Number({
      title: "longest part",
      description:
        "In minutes; longer recordings are cut and put together again. 0: as long as the provider takes. No effect with " +
        "deepgram and assemblyai, which take whole recordings.",
      minimum: 0,
      default: 0,
    }),
    base_url: Type.String({
      title: "address",
      description: "With whisper: of the server, instead of WHISPER_BASE_URL.",
      default: "",
    }),
    api_key: Type.String({
      title: "key",
      description: "For base_url, if it wants one. WHISPER_API_KEY is sent to WHISPER_BASE_URL only.",
      default: "",
      writeOnly: true,
    }),
    wtf: Type.Boolean({
      title: "World Transcription Format?",
      description: "Adds the transcript in this format too.",
      default: true,
    }),
    overwrite: Type.Boolean({
      title: "transcribe again?",
      description:
        "Also dialogs that have a transcript. What the same provider said of them before is replaced; the rest stays.",
      default: false,
    }),
  }),
  example: {
    about: "Transcribes all recordings with Deepgram, in whatever language they are.",
    options: { provider: "deepgram", language: "" },
  },
  async process(io, options, context) {
    const { provider, model, language, diarize, channels, base_url, api_key, wtf, overwrite } = options;
    if (base_url !== "" && provider !== "whisper") {
      throw new VconductorError(
        "invalid_options",
        `base_url is for the provider whisper only, not for ${provider}; its address is in the server's settings`,
      );
    }
    const vcon = io.peekVcon(options.input_vcon_index);
    const result = await transcribeDialogs(vcon, {
      context,
      dialogs: selectDialogs(options.input_dialogs, vcon.dialog?.length ?? 0),
      how: {
        provider,
        model,
        language,
        diarize,
        channels,
        maxPartMinutes: options.max_part_minutes,
        baseUrl: base_url,
        apiKey: api_key,
      },
      wtf,
      overwrite,
    });
    if (result !== vcon) io.update(result);
    return io;
  },
});
