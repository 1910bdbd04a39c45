import { Worker } from "node:worker_threads";
import { VconductorError } from "../errors.ts";

export interface SplitOptions {
  /** Largest part, in bytes, the 44 of its header included. */
  readonly maxBytes: number;
  /** Longest part. */
  readonly maxSeconds: number;
  /** Each channel by itself; otherwise all of them are mixed. */
  readonly perChannel: boolean;
  readonly signal: AbortSignal;
}

/** A piece of a recording. */
export interface AudioPart {
  /** A WAV file: PCM, 16 bit, one channel, at most 16 kHz. */
  readonly bytes: Uint8Array;
  /** Seconds from the start of the recording. */
  readonly offset: number;
  /** Seconds. */
  readonly duration: number;
  /** Undefined: all channels mixed. */
  readonly channel: number | undefined;
}

export type SplitRequest = Omit<SplitOptions, "signal"> & { readonly bytes: Uint8Array };
export type SplitReply = { readonly parts: readonly AudioPart[] } | { readonly failure: string };

/**
 * A recording as WAV files that are small and short enough, cut in silences where there are any: wav (also G.711), mp3,
 * flac, ogg, opus, m4a, webm and others. The parts of a channel follow one another without gaps; a channel on which
 * nothing is heard has none. Works in a thread of its own, so that other runs of the process go on meanwhile.
 *
 * @throws invalid_vcon the recording cannot be decoded
 * @throws the reason of `signal`, once that is aborted
 */
export async function splitAudio(
  bytes: Uint8Array,
  { signal, ...options }: SplitOptions,
): Promise<readonly AudioPart[]> {
  signal.throwIfAborted();
  const request: SplitRequest = { bytes, ...options };
  const worker = new Worker(new URL("./thread.ts", import.meta.url), {
    workerData: request,
    env: {},
    execArgv: [],
  });
  const { promise, resolve, reject } = Promise.withResolvers<SplitReply>();
  const abort = () => reject(signal.reason);
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", () => reject(new Error("the thread ended without an answer")));
  signal.addEventListener("abort", abort, { once: true });
  try {
    const reply = await promise.catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      return { failure: why };
    });
    if ("parts" in reply) return reply.parts;
    throw new VconductorError("invalid_vcon", `the recording cannot be decoded: ${reply.failure}`);
  } finally {
    signal.removeEventListener("abort", abort);
    await worker.terminate();
  }
}
