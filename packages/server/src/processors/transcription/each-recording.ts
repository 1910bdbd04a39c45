import type { Dialog, Vcon } from "@vconductor/vcon";
import type { ProcessorContext } from "../define.ts";
import {
  type FetchRecordingContext,
  fetchRecording,
  isRecording,
  type Recording,
} from "./fetch-recording.ts";

export interface EachRecording {
  readonly context: FetchRecordingContext & Pick<ProcessorContext, "progress">;
  /** The dialogs that were selected. */
  readonly dialogs: readonly number[];
  /** Is there something to do for it? Asked before its recording is fetched. */
  wanted(vcon: Vcon, index: number): boolean;
  /** The vCon with what is made of one recording. */
  work(vcon: Vcon, one: OneRecording): Promise<Vcon>;
}

export interface OneRecording {
  readonly dialog: Dialog;
  readonly index: number;
  readonly recording: Recording;
  progress(done: number, message: string): void;
}

/** Goes through the selected dialogs that are recordings, one after another; others are passed over. */
export async function eachRecording(vcon: Vcon, each: EachRecording): Promise<Vcon> {
  const { context, dialogs, wanted, work } = each;
  const chosen = dialogs.flatMap((index) => {
    const dialog = vcon.dialog?.[index];
    return dialog !== undefined && isRecording(dialog) && wanted(vcon, index) ? [{ dialog, index }] : [];
  });
  let result = vcon;
  for (const [place, { dialog, index }] of chosen.entries()) {
    const progress = (done: number, message: string) =>
      context.progress(((place + done) / chosen.length) * 100, `dialog ${index}: ${message}`);
    progress(0, "transcribing");
    const recording = await fetchRecording(context, { dialog, index });
    if (recording !== undefined) result = await work(result, { dialog, index, recording, progress });
    progress(1, "done");
  }
  return result;
}
