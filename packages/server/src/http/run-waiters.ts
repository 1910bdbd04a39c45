import type { JobQueue } from "../jobs/job-queue.ts";

const everyMs = 50;

/** Waits for runs to end: one look at the database for all who wait, and none while nobody does. */
export class RunWaiters {
  readonly #jobs: JobQueue;
  readonly #waiting = new Map<number, Set<() => void>>();
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(jobs: JobQueue) {
    this.#jobs = jobs;
  }

  /** Resolves when the run has ended, the time is up, the signal is aborted, or the server stops. */
  async wait(options: {
    readonly runId: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { runId, timeoutMs, signal } = options;
    if (timeoutMs <= 0 || signal.aborted || this.#stopped.signal.aborted) return;
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

  /** Lets all go who wait, now and from now on. */
  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    for (const waiters of this.#waiting.values()) for (const resolve of waiters) resolve();
  }

  async #look(): Promise<void> {
    try {
      for (const runId of await this.#jobs.ended([...this.#waiting.keys()])) {
        for (const resolve of this.#waiting.get(runId) ?? []) resolve();
      }
    } catch {
      // The database is away: the next look will tell.
    }
    const more = this.#waiting.size > 0 && !this.#stopped.signal.aborted;
    this.#timer = more ? setTimeout(() => void this.#look(), everyMs) : undefined;
  }
}
