import type { Logger } from "pino";

const everyMs = 60_000;

/** Says that something cannot be reached: at once, every minute, and when it is over. */
export class Outage {
  readonly #what: string;
  readonly #log: Pick<Logger, "info" | "warn">;
  #saidAt: number | undefined;

  constructor(what: string, log: Pick<Logger, "info" | "warn">) {
    this.#what = what;
    this.#log = log;
  }

  goesOn(error: unknown): void {
    const now = performance.now();
    if (this.#saidAt !== undefined && now - this.#saidAt < everyMs) return;
    this.#saidAt = now;
    this.#log.warn({ err: error }, `${this.#what} cannot be reached; it is tried again`);
  }

  isOver(): void {
    if (this.#saidAt !== undefined) this.#log.info(`${this.#what} is there again`);
    this.#saidAt = undefined;
  }
}
