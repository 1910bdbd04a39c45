import type { Logger } from "pino";
import { isUnavailable } from "../database/database.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";
import type { JobQueue } from "./job-queue.ts";

const everyMs = 1000;
const purgeEveryMs = 3_600_000;
/** Only those whose end met a lock have not woken who waited for them. */
const wakeEveryMs = 60_000;

export interface HousekeepingOptions {
  readonly jobs: JobQueue;
  readonly log: Logger;
  readonly leaseMs: number;
  readonly crashLimit: number;
  readonly retentionDays: number;
  readonly failureQueueOf: (queue: string) => Promise<string | undefined>;
  /** What else is to be purged now and then. */
  readonly purge: () => Promise<void>;
}

/**
 * What keeps queues moving without anyone's help, on every server: scheduled jobs whose time has come wait,
 * runs whose lease has passed are given back, old history goes.
 */
export class Housekeeping implements Service {
  readonly #options: HousekeepingOptions;
  readonly #repetition = new Repetition({
    work: () => this.#tick(),
    failed: (error) => this.#failed(error),
    everyMs,
    firstMs: 0,
  });
  #purgedAt = 0;
  #wokenAt = 0;
  /** While the database was away no worker could send a heartbeat: they get a lease's time to do so first. */
  #expireFrom = 0;
  /** Since when remote workers can reach a server for sure. While none was there, the living could not say so. */
  #reachableSince = 0;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#reachableSince = Date.now();
    await this.#repetition.start();
  }

  async stop(): Promise<void> {
    await this.#repetition.stop();
  }

  async #tick(): Promise<number> {
    const { jobs } = this.#options;
    const due = await jobs.promoteScheduled();
    if (Date.now() - this.#wokenAt > wakeEveryMs) await this.#wake();
    if (Date.now() >= this.#expireFrom) await this.#expire();
    if (Date.now() - this.#purgedAt > purgeEveryMs) await this.#purge();
    return due === undefined ? everyMs : Math.min(everyMs, Math.max(10, due));
  }

  #failed(error: unknown): void {
    const { log, leaseMs } = this.#options;
    if (isUnavailable(error)) {
      this.#reachableSince = Date.now();
      this.#expireFrom = Date.now() + leaseMs;
    } else log.error({ err: error }, "housekeeping failed; trying again");
  }

  async #expire(): Promise<void> {
    const { jobs, log, crashLimit, failureQueueOf } = this.#options;
    const message = "no heartbeat came before its lease ran out; its worker is taken for dead";
    const recovered = await jobs.recover({
      reason: { code: "lease_expired", message },
      reachableMs: Date.now() - this.#reachableSince,
      crashLimit,
      failureQueueOf,
    });
    if (recovered.length > 0)
      log.warn({ runs: recovered }, "leases ran out; the jobs go back to their queues");
  }

  async #wake(): Promise<void> {
    await this.#options.jobs.wakeSuspended();
    this.#wokenAt = Date.now();
  }

  async #purge(): Promise<void> {
    const { jobs, log, retentionDays, purge } = this.#options;
    const runs = await jobs.purgeRuns({ olderThanDays: retentionDays });
    await purge();
    this.#purgedAt = Date.now();
    if (runs > 0) log.info({ runs }, "old runs were removed from the history");
  }
}
