import { everything } from "../access/principal.ts";
import type { ClaimedJob, JobQueue } from "../jobs/job-queue.ts";
import type { PipelineStore } from "../pipelines/pipeline-store.ts";
import type { ServerRegistry } from "../servers/server-registry.ts";
import type { Service } from "../service.ts";
import { Tending } from "./tending.ts";

export interface WorkerLoopOptions {
  readonly jobs: JobQueue;
  readonly servers: ServerRegistry;
  /** Given where a claim cannot see the pipelines: queues without one are then left out here. */
  readonly pipelines: PipelineStore | undefined;
  readonly worker: string;
  readonly server: string;
  readonly address: string;
  /** Most runs at once. */
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** Runs one job to its end. Never rejects. */
  readonly run: (job: ClaimedJob) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

// Queues that others tend are told of as well: these looks at what is tended are kept apart by this much.
const refreshApartMs = 250;
const longestPauseMs = 5000;

/**
 * Claims jobs for the free slots of a worker, and again at once while there are more. Notifications wake it;
 * without them it looks every `pollMs`, which is also how it notices changed queues and goes on after an outage.
 */
export class WorkerLoop implements Service {
  readonly #options: WorkerLoopOptions;
  readonly #tending = new Tending();
  readonly #active = new Set<Promise<void>>();
  #stopped = true;
  #claiming = false;
  #claimWork: Promise<void> = Promise.resolve();
  #again = false;
  #failures = 0;
  #refreshedAt = 0;
  /** Perhaps what is tended has changed. */
  #stale = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;

  constructor(options: WorkerLoopOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.wake();
  }

  /** Claims no more, and waits for the runs under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    // A claim that is on its way may still bring jobs.
    await this.#claimWork;
    while (this.#active.size > 0) await Promise.allSettled(this.#active);
  }

  /** New work in these queues (all, if none is named). */
  wake(queues?: readonly string[]): void {
    if (this.#stopped) return;
    if (queues !== undefined && !queues.some((queue) => this.#tending.has(queue))) {
      this.#stale = true;
      if (Date.now() - this.#refreshedAt < refreshApartMs) {
        this.#sleep(refreshApartMs);
        return;
      }
    }
    if (this.#claiming) this.#again = true;
    else this.#claimWork = this.#claim();
  }

  async #claim(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#claiming = true;
    try {
      do {
        this.#again = false;
        if (this.#stopped) return;
        await this.#refresh();
        const free = this.#options.concurrency - this.#active.size;
        if (free > 0 && (await this.#claimUpTo(free)) === free) this.#again = free > 0 && this.#hasRoom();
      } while (this.#again);
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      if (this.#failures === 1) this.#options.onError(error);
    } finally {
      this.#claiming = false;
    }
    this.#sleep(Math.min(this.#options.pollMs * 2 ** Math.min(this.#failures, 4), longestPauseMs));
  }

  #hasRoom(): boolean {
    return this.#active.size < this.#options.concurrency;
  }

  async #claimUpTo(limit: number): Promise<number> {
    const { jobs, worker, server, leaseMs } = this.#options;
    const cycle = this.#tending.cycle();
    const claim = await jobs.claim({ cycle, limit, kind: "pipeline", worker, server, leaseMs });
    if (claim.last !== undefined) this.#tending.advance(cycle, claim.last);
    for (const job of claim.jobs) this.#begin(job);
    return claim.jobs.length;
  }

  #begin(job: ClaimedJob): void {
    const run = this.#options.run(job).finally(() => {
      this.#active.delete(run);
      // A slot is free, and so are the vCons that the run held: look once those that end now have all ended.
      setImmediate(() => this.wake());
    });
    this.#active.add(run);
  }

  async #refresh(): Promise<void> {
    const age = Date.now() - this.#refreshedAt;
    if (age < (this.#stale ? refreshApartMs : this.#options.pollMs)) return;
    this.#stale = false;
    const { servers, pipelines, address } = this.#options;
    const tended = await servers.tended(address);
    const served = pipelines === undefined ? undefined : new Set(await pipelines.list(everything));
    this.#tending.set(tended.filter((entry) => served === undefined || served.has(entry.queue)));
    this.#refreshedAt = Date.now();
  }

  /** Looks again after `ms`, or when it would have anyway if that is sooner. */
  #sleep(ms: number): void {
    const at = Date.now() + ms;
    if (this.#stopped || (this.#timer !== undefined && this.#timerAt <= at)) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.wake();
    }, ms);
  }
}
