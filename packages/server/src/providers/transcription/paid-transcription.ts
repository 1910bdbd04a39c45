import { createHash } from "node:crypto";
import type { JsonObject, JsonValue } from "@vconductor/vcon";
import type { Audio, NormalTranscript, TranscriberContext } from "./transcriber.ts";

/** More than the words of a day: an answer larger than this is none. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

interface PaidTranscription {
  readonly provider: string;
  readonly model: string;
  readonly audio: Audio;
  /** All else that the answer depends on: address, language, formats … */
  readonly parameters: JsonObject;
  call(): Promise<JsonValue>;
  /** @throws provider_failed the answer cannot be understood */
  read(answer: JsonValue): NormalTranscript;
  /** How many channels are paid for. Default: 1 */
  channels?(answer: JsonValue): number;
}

/** Makes the call, on record with the length of the audio, and reads its answer. */
export async function paidTranscription(
  context: TranscriberContext,
  { provider, model, audio, parameters, call, read, channels = () => 1 }: PaidTranscription,
): Promise<{ readonly vendor: JsonValue; readonly transcript: NormalTranscript }> {
  // The bytes are told by their hash: a request is kept in memory and hashed, and recordings are large.
  const request = { provider, model, ...parameters, audio: sha256(audio.bytes) };
  const vendor = await context.paid(request, async () => {
    const answer = await call();
    // Read here too, so that an answer nobody understands is not kept for the retries of the job.
    const seconds = read(answer).duration ?? audio.seconds;
    const audioSeconds = seconds === undefined ? {} : { audioSeconds: seconds * channels(answer) };
    return { answer, usage: { provider, model, ...audioSeconds } };
  });
  return { vendor, transcript: read(vendor) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
