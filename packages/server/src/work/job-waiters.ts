import { Listener } from "../database/listener.ts";
import { channels } from "../database/notifier.ts";
import type { Service } from "../service.ts";

/**
 * Workers that wait for jobs, in the process that they asked. A notification wakes one of them; whoever then finds
 * something wakes the next, so that one job does not send all of them to the database. It is a hint: each looks by itself
 * every now and then. The connection that listens is opened when the first one waits.
 */
export class JobWaiters implements Service {
  readonly #url: string;
  readonly #pollMs: number;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stopped = new AbortController();
  #listener: Listener | undefined;

  /** @param options.url of the database of queues */
  constructor(options: { readonly url: string; readonly pollMs: number }) {
    this.#url = options.url;
    this.#pollMs = options.pollMs;
  }

  async start(): Promise<void> {}

  /** Lets all go who wait, now and from now on. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
    await this.#listener?.stop();
  }

  /**
   * Looks for jobs again, after there were none, until there are some, the time is up, the signal is aborted, or the server stops.
   *
   * @param look takes what is there
   */
  async until<Job>(options: {
    readonly queue: string;
    readonly waitMs: number;
    readonly signal: AbortSignal;
    readonly look: () => Promise<readonly Job[]>;
  }): Promise<readonly Job[]> {
    const { queue, waitMs, signal, look } = options;
    if (waitMs <= 0) return [];
    const deadline = Date.now() + waitMs;
    for (;;) {
      // Before the look, so that what comes while it is on its way wakes this one.
      const woken = this.#join(queue);
      try {
        const jobs = await look();
        if (jobs.length > 0) {
          this.#wakeOne(queue);
          return jobs;
        }
        const left = deadline - Date.now();
        if (left <= 0 || this.#stopped.signal.aborted) return jobs;
        await woken.within(Math.min(left, this.#pollMs), signal);
        if (signal.aborted) {
          // It may have been woken for a job that is another's now.
          this.#wakeOne(queue);
          return jobs;
        }
      } finally {
        woken.leave();
      }
    }
  }

  #join(queue: string) {
    this.#listen();
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(queue) ?? new Set();
    waiting.add(resolve);
    this.#waiting.set(queue, waiting);
    return {
      within: async (ms: number, signal: AbortSignal) => {
        const late = setTimeout(resolve, ms);
        const gone = () => resolve();
        signal.addEventListener("abort", gone, { once: true });
        if (signal.aborted || this.#stopped.signal.aborted) gone();
        await promise;
        signal.removeEventListener("abort", gone);
        clearTimeout(late);
      },
      leave: () => {
        waiting.delete(resolve);
        if (waiting.size === 0) this.#waiting.delete(queue);
      },
    };
  }

  #wakeOne(queue: string): void {
    const waiting = this.#waiting.get(queue);
    const [first] = waiting ?? [];
    if (first === undefined) return;
    waiting?.delete(first);
    first();
  }

  #listen(): void {
    if (this.#listener !== undefined || this.#stopped.signal.aborted) return;
    this.#listener = new Listener({
      url: this.#url,
      channels: [channels.jobs],
      onNotify: (_, payload) => {
        for (const queue of JSON.parse(payload) as string[]) this.#wakeOne(queue);
      },
      onConnect: () => {
        for (const queue of [...this.#waiting.keys()]) this.#wakeOne(queue);
      },
    });
    void this.#listener.start();
  }
}
