import type { JobQueue } from "../jobs/job-queue.ts";

const everyMs = 50;

/** Waits for runs to end: one look at the database for all who wait, and none while nobody does. */
export class RunWaiters {
  readonly #jobs: JobQueue;
  readonly #waiting = new Map<number, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(jobs: JobQueue) {
    this.#jobs = jobs;
  }

  /** Resolves when the run has ended, the time is up, or the signal is aborted. */
  async wait(options: {
    readonly runId: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { runId, timeoutMs, signal } = options;
    if (timeoutMs <= 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiting.get(runId) ?? new Set();
    waiters.add(resolve);
    this.#waiting.set(runId, waiters);
    this.#timer ??= setTimeout(() => void this.#look(), everyMs);
    const late = setTimeout(resolve, timeoutMs);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    clearTimeout(late);
    waiters.delete(resolve);
    if (waiters.size === 0) this.#waiting.delete(runId);
  }

  async #look(): Promise<void> {
    try {
      for (const runId of await this.#jobs.ended([...this.#waiting.keys()])) {
        for (const resolve of this.#waiting.get(runId) ?? []) resolve();
      }
    } catch {
      // The database is away: the next look will tell.
    }
    this.#timer = this.#waiting.size > 0 ? setTimeout(() => void this.#look(), everyMs) : undefined;
  }
}
