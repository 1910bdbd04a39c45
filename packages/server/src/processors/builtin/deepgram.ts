import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { inputDialogs, selectDialogs } from "../select-dialogs.ts";
import { transcribeDialogs } from "../transcription/transcribe-dialogs.ts";

export const deepgram = defineProcessor({
  name: "deepgram",
  title: "Transcribe with Deepgram",
  description:
    "Has the recordings of the selected dialogs transcribed by Deepgram. Dialogs that are no recordings, and those that " +
    "have a transcript, are passed over; without DEEPGRAM_KEY nothing is done. The processor transcribe can do more.",
  version: "1.0.0",
  options: Type.Object({
    language: Type.String({
      title: "language",
      description: 'That is spoken, as a code such as "en" or "de". "" has Deepgram find out.',
      default: "en",
    }),
    input_dialogs: { ...inputDialogs, default: "0:" },
    model: Type.String({ title: "model", description: "Of Deepgram's.", default: "nova-3" }),
    wtf: Type.Boolean({
      title: "World Transcription Format?",
      description: "Adds the transcript in this format too.",
      default: false,
    }),
  }),
  example: {
    about: "Transcribes the first dialog, which is in German.",
    options: { language: "de", input_dialogs: "0" },
  },
  async process(io, { language, input_dialogs, input_vcon_index, model, wtf }, context) {
    const vcon = io.peekVcon(input_vcon_index);
    const dialogs = selectDialogs(input_dialogs, vcon.dialog?.length ?? 0);
    if ((context.secret("DEEPGRAM_KEY") ?? "") === "") {
      context.log.debug({ processor: "deepgram" }, "DEEPGRAM_KEY is not set: nothing was done");
      return io;
    }
    const result = await transcribeDialogs(vcon, {
      context,
      dialogs,
      how: { provider: "deepgram", model, language, diarize: true, channels: "mix", maxPartMinutes: 0 },
      wtf,
      overwrite: false,
    });
    if (result !== vcon) io.update(result);
    return io;
  },
});
