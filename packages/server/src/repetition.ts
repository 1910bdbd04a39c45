import type { Service } from "./service.ts";

export interface RepetitionOptions {
  /**
   * What is done; never twice at a time.
   *
   * @param signal aborts when the repetition stops
   * @returns in how many milliseconds it is done again, where that is not `everyMs`
   */
  readonly work: (signal: AbortSignal) => Promise<number> | Promise<void>;
  /** Hears why it was not done; it is done again after `everyMs`. */
  readonly failed: (error: unknown) => void;
  readonly everyMs: number;
  /** Before it is done for the first time. Default: `everyMs` */
  readonly firstMs?: number;
}

/** Does something again and again, until it is stopped; what is being done then is waited for. */
export class Repetition implements Service {
  readonly #options: RepetitionOptions;
  #stop: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: RepetitionOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stop = new AbortController();
    this.#after(this.#options.firstMs ?? this.#options.everyMs, this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop?.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  #after(ms: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#once(signal);
    }, ms).unref();
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { work, failed, everyMs } = this.#options;
    let next = everyMs;
    try {
      next = (await work(signal)) ?? everyMs;
    } catch (error) {
      failed(error);
    }
    this.#after(next, signal);
  }
}
