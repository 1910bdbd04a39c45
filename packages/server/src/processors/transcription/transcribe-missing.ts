import type { ProcessorContext } from "../define.ts";
import type { ProcessorIO } from "../io.ts";
import { isRecording } from "./fetch-recording.ts";
import { hasTranscript } from "./has-transcript.ts";
import { addWhisper, whisperOutputs } from "./whisper-analyses.ts";

export interface TranscribeMissing {
  /** Of the vCon in the IO. */
  readonly index: number;
  /** The dialogs that are of interest. */
  readonly dialogs: readonly number[];
  readonly context: ProcessorContext;
}

/**
 * Has recordings transcribed that have no transcript, with all that `whisper_base` adds, in whatever language they are,
 * and keeps the transcripts in the vCon. Without WHISPER_BASE_URL it leaves them as they are.
 *
 * @returns the dialogs that are still without one
 */
export async function transcribeMissing(
  io: ProcessorIO,
  { index, dialogs, context }: TranscribeMissing,
): Promise<readonly number[]> {
  const vcon = io.peekVcon(index);
  const left = (current: typeof vcon) =>
    dialogs.filter((at) => {
      const dialog = current.dialog?.[at];
      return dialog !== undefined && isRecording(dialog) && !hasTranscript(current, at);
    });
  const missing = left(vcon);
  if (missing.length === 0) return [];
  if ((context.setting("WHISPER_BASE_URL") ?? "") === "") {
    context.log.info(
      { dialogs: missing },
      "recordings without a transcript are left out: WHISPER_BASE_URL is not set",
    );
    return missing;
  }
  const result = await addWhisper(vcon, {
    context,
    dialogs: missing,
    // Nobody says which it is, and Whisper can tell.
    language: "",
    model: "",
    outputs: whisperOutputs,
  });
  if (result !== vcon) io.update(result);
  return left(result);
}
