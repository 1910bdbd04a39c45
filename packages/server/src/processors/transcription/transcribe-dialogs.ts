import type { Vcon } from "@vconductor/vcon";
import type { ProcessorContext } from "../define.ts";
import { withTranscript } from "./analyses.ts";
import { eachRecording } from "./each-recording.ts";
import { hasTranscript } from "./has-transcript.ts";
import { seatingOf } from "./speakers.ts";
import { type HowToTranscribe, transcribeRecording } from "./transcribe-recording.ts";
import { toWtf } from "./wtf.ts";

export interface TranscribeDialogs {
  readonly context: ProcessorContext;
  readonly dialogs: readonly number[];
  readonly how: HowToTranscribe;
  /** Add the World Transcription Format beside the vendor's own. */
  readonly wtf: boolean;
  /** Transcribe what has a transcript too. */
  readonly overwrite: boolean;
}

/** The vCon with a transcript of each recording among `dialogs`; the vCon itself when there was nothing to do. */
export function transcribeDialogs(vcon: Vcon, given: TranscribeDialogs): Promise<Vcon> {
  const { context, dialogs, how, overwrite } = given;
  return eachRecording(vcon, {
    context,
    dialogs,
    wanted: (current, index) => overwrite || !hasTranscript(current, index),
    async work(current, { dialog, index, recording, progress }) {
      const asked = Date.now();
      const transcription = await transcribeRecording(context, { vcon, dialog, recording, progress }, how);
      const { transcript, model } = transcription;
      const { seconds, channels } = recording;
      const wtf = given.wtf
        ? toWtf({
            vcon,
            seating: seatingOf(vcon, dialog),
            transcript,
            provider: how.provider,
            model,
            seconds,
            channels,
            asked,
            answered: Date.now(),
          })
        : undefined;
      return withTranscript(current, {
        dialog: index,
        provider: how.provider,
        transcription,
        wtf,
        overwrite,
      });
    },
  });
}
