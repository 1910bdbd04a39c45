import { setTimeout as sleep } from "node:timers/promises";

const longestMs = 10_000;

/** Waits between tries: longer each time, and not all workers at the same moment. */
export class Backoff {
  #ms: number;
  readonly #firstMs: number;

  /** @param firstMs Default: 200 */
  constructor(firstMs = 200) {
    this.#firstMs = firstMs;
    this.#ms = firstMs;
  }

  /** Resolves at once when the signal is aborted. */
  async wait(signal?: AbortSignal): Promise<void> {
    const ms = this.#ms * (0.5 + Math.random());
    this.#ms = Math.min(longestMs, this.#ms * 2);
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }

  reset(): void {
    this.#ms = this.#firstMs;
  }
}
