import { VconductorError } from "../errors.ts";

export interface StepLimits {
  /** The processor's own time, in milliseconds; 0 is no limit. Default: 0. */
  readonly timeoutMs?: number;
  /** The caller's wish to stop: the run is cancelled, the server stops. */
  readonly signal?: AbortSignal;
  /** Called with work that was told to stop and has not ended yet: only the end of the process ends it for sure. */
  readonly onLeftBehind?: (work: Promise<void>) => void;
}

/**
 * Does `work` until it ends, its time is up, or the caller's signal is aborted, whichever is first. The
 * signal that `work` gets is aborted in the last two cases; `work` that does not heed it is left behind.
 *
 * @throws pipeline_timeout, run_cancelled (or the reason of the caller's signal), whatever `work` throws
 */
export async function within(
  { timeoutMs = 0, signal, onLeftBehind }: StepLimits,
  name: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (signal?.aborted) throw cancelledBy(signal, name);
  const controller = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = (error: VconductorError) => {
    controller.abort(error);
    stopped.reject(error);
  };
  const cancel = () => signal && stop(cancelledBy(signal, name));
  signal?.addEventListener("abort", cancel, { once: true });
  const timer =
    timeoutMs > 0
      ? setTimeout(() => stop(timedOut(name, timeoutMs)), Math.min(timeoutMs, LONGEST_TIMER_MS))
      : undefined;
  let ended = false;
  const working = work(controller.signal).finally(() => {
    ended = true;
  });
  try {
    await Promise.race([working, stopped.promise]);
  } catch (error) {
    if (!ended) onLeftBehind?.(working);
    // Work that heeded the signal often throws an AbortError of its own; why it stopped says more.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

/** Beyond this setTimeout fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function timedOut(name: string, timeoutMs: number): VconductorError {
  return new VconductorError(
    "pipeline_timeout",
    `processor: ${name} took longer than ${timeoutMs / 1000} seconds`,
  );
}

function cancelledBy(signal: AbortSignal, name: string): VconductorError {
  if (signal.reason instanceof VconductorError) return signal.reason;
  return new VconductorError("run_cancelled", `processor: ${name} was cancelled`);
}
