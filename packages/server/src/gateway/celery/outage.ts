import type { Logger } from "pino";

const everyMs = 60_000;

/** Says that something does not go on: at once, every minute, and when it is over. */
export class Outage {
  readonly #during: string;
  readonly #over: string;
  readonly #log: Pick<Logger, "info" | "warn">;
  #saidAt: number | undefined;

  /** @param options.during and `over` are what the log says */
  constructor(options: {
    readonly during: string;
    readonly over: string;
    readonly log: Pick<Logger, "info" | "warn">;
  }) {
    this.#during = options.during;
    this.#over = options.over;
    this.#log = options.log;
  }

  goesOn(error: unknown): void {
    const now = performance.now();
    if (this.#saidAt !== undefined && now - this.#saidAt < everyMs) return;
    this.#saidAt = now;
    this.#log.warn({ err: error }, this.#during);
  }

  isOver(): void {
    if (this.#saidAt !== undefined) this.#log.info(this.#over);
    this.#saidAt = undefined;
  }
}
