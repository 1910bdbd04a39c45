import type { Audio, AudioLimits } from "../../providers/transcription/transcriber.ts";
import type { Recording } from "./fetch-recording.ts";

/** A piece of a recording that is transcribed in one call. */
export interface Part {
  readonly audio: Audio;
  /** Seconds from the start of the recording. */
  readonly offset: number;
  /** Undefined: all channels. */
  readonly channel: number | undefined;
}

export interface Cut {
  readonly limits: AudioLimits | undefined;
  /** Longest part, in minutes; 0 leaves it to `limits`. */
  readonly maxPartMinutes: number;
  /** Each channel by itself. */
  readonly perChannel: boolean;
  readonly signal: AbortSignal;
}

/** The whole recording where that may be, else pieces of it: none where nothing is heard. @throws invalid_vcon it cannot be decoded */
export async function partsOf(
  recording: Recording,
  { limits, maxPartMinutes, perChannel, signal }: Cut,
): Promise<readonly Part[]> {
  const { bytes, mediatype, filename, seconds } = recording;
  const maxBytes = limits?.bytes ?? Number.MAX_SAFE_INTEGER;
  const asked = maxPartMinutes > 0 ? maxPartMinutes * 60 : Number.POSITIVE_INFINITY;
  const maxSeconds = Math.min(asked, limits?.seconds ?? asked);
  // A length that the file does not tell may be too much.
  const tooLong = Number.isFinite(maxSeconds) && (seconds === undefined || seconds > maxSeconds);
  if (!perChannel && !tooLong && bytes.length <= maxBytes) {
    return [{ audio: { bytes, mediatype, filename, seconds }, offset: 0, channel: undefined }];
  }
  // Decoders are heavy, and most recordings need none.
  const { splitAudio } = await import("../../audio/split.ts");
  const pieces = await splitAudio(bytes, {
    maxBytes,
    maxSeconds: Math.min(maxSeconds, Number.MAX_SAFE_INTEGER),
    perChannel,
    signal,
  });
  return pieces.map((piece) => ({
    audio: {
      bytes: piece.bytes,
      mediatype: "audio/x-wav",
      filename: "recording.wav",
      seconds: piece.duration,
    },
    offset: piece.offset,
    channel: piece.channel,
  }));
}
