import type { Logger } from "pino";
import type { Service } from "../../service.ts";
import type { AuditTrail } from "./audit-trail.ts";

const everyMs = 1000;

/** Chains what was recorded, every second. */
export class Chainer implements Service {
  readonly #audit: Pick<AuditTrail, "chain">;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: { readonly audit: Pick<AuditTrail, "chain">; readonly log: Logger }) {
    this.#audit = options.audit;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    this.#next(everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  #next(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#work();
    }, ms).unref();
  }

  async #work(): Promise<void> {
    try {
      // More than it did at once: on it goes.
      const chained = await this.#audit.chain();
      this.#next(chained > 0 ? 0 : everyMs);
    } catch (error) {
      this.#log.warn({ err: error }, "the audit trail could not be chained; trying again");
      this.#next(everyMs);
    }
  }
}
