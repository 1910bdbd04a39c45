import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./errors.ts";

const longestMs = 10_000;
/** A server, or what stands before it, does not keep a worker away for longer than this by its `Retry-After`. */
const longestAskedMs = 60_000;

/** How long the server asks to be left alone, in milliseconds. 0: it does not say. */
export function leastPauseMs(error: unknown): number {
  const seconds = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
  return Math.min(longestAskedMs, seconds * 1000);
}

/** Waits between tries: longer each time, and not all workers at the same moment. */
export class Backoff {
  #ms: number;
  readonly #firstMs: number;

  /** @param firstMs Default: 200 */
  constructor(firstMs = 200) {
    this.#firstMs = firstMs;
    this.#ms = firstMs;
  }

  /** Resolves at once when the signal is aborted. @param error why the last try failed */
  async wait(error: unknown, signal: AbortSignal): Promise<void> {
    const ms = Math.max(leastPauseMs(error), this.#ms * (0.5 + Math.random()));
    this.#ms = Math.min(longestMs, this.#ms * 2);
    await sleep(ms, undefined, { signal }).catch(() => {});
  }

  reset(): void {
    this.#ms = this.#firstMs;
  }
}
