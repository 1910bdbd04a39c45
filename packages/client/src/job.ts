import { Backoff } from "./backoff.ts";
import type { Client } from "./client.ts";
import { isOver, isRefused } from "./errors.ts";
import { Heartbeats } from "./heartbeats.ts";
import { JobError } from "./job-error.ts";
import type { Outage } from "./outage.ts";
import { toText } from "./text.ts";
import type { Json, RemoteJob, StopReason } from "./types.ts";

/** What a handler gets beside its job. */
export interface JobContext {
  /** Aborted when the job is to stop; its `reason` is a `StopReason`. Pass it on to whatever you wait for. */
  readonly signal: AbortSignal;
  /** How far it is, 0 to 100, and what it is doing, for those who watch. Sent with the next heartbeat, soon. */
  progress(percent: number, message?: string): void;
  /** Jobs to queue when this one is done: all of them with its end, or none. */
  queueJob(job: {
    readonly queue: string;
    readonly payload?: Json;
    readonly vcon_uuid?: readonly string[];
  }): void;
  readonly client: Client;
}

/** Does a job. What it returns is the job's result; what it throws is why it failed: see `JobError`. */
export type JobHandler = (
  job: RemoteJob,
  context: JobContext,
) => Promise<Json | undefined> | Json | undefined;

export interface JobOptions {
  readonly client: Client;
  readonly handler: JobHandler;
  readonly leaseSeconds: number;
  readonly outage: Outage;
  /** Called with what may interest an operator. Does not throw. */
  readonly tell: (event: JobEvent) => void;
}

export type JobEvent =
  | { readonly type: "done"; readonly job: RemoteJob }
  | { readonly type: "failed"; readonly job: RemoteJob; readonly error: unknown }
  | { readonly type: "stopped"; readonly job: RemoteJob; readonly reason: StopReason };

type Ending = Parameters<Client["end"]>[1];

const handBack: Ending = { how: "release", reason: "its worker stops" };
/** What the server takes as the reason of a failure. */
const longestMessage = 10_000;
const shortMessage = 200;

/** One job in hand: its handler, and its heartbeats beside it. */
export class RunningJob {
  readonly #job: RemoteJob;
  readonly #options: JobOptions;
  readonly #stop = new AbortController();
  readonly #abandoned = Promise.withResolvers<Ending>();
  readonly #givenUp = new AbortController();
  /** Why the job failed. */
  #error: unknown;

  constructor(job: RemoteJob, options: JobOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** Tells the handler to stop. */
  stop(reason: StopReason): void {
    this.#stop.abort(reason);
  }

  /** Waits for the handler no longer: the job goes back to its queue, and whatever the handler does is not sent. */
  abandon(): void {
    this.#abandoned.resolve(handBack);
  }

  /** Does not try again to say how the job came out: it goes back when its lease has run out. */
  giveUp(): void {
    this.#givenUp.abort();
  }

  /** Does the job, and tells the server how it came out. Never rejects. */
  async run(): Promise<void> {
    const { client, leaseSeconds, outage } = this.#options;
    const stop = (reason: StopReason) => this.stop(reason);
    const heartbeats = new Heartbeats({ client, runId: this.#job.run_id, leaseSeconds, outage, stop });
    heartbeats.start();
    await this.#end(await Promise.race([this.#do(heartbeats), this.#abandoned.promise]));
    heartbeats.stop();
    outage.gone(this);
  }

  async #do(heartbeats: Heartbeats): Promise<Ending> {
    const { client, handler } = this.#options;
    const { signal } = this.#stop;
    const queued: Json[] = [];
    try {
      const result = await handler(this.#job, {
        client,
        signal,
        progress(percent, message) {
          if (!signal.aborted) heartbeats.progress(percent, message);
        },
        queueJob: (job) => void queued.push(job),
      });
      return {
        how: "complete",
        result: result ?? null,
        ...(queued.length > 0 ? { queue_jobs: queued } : {}),
      };
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): Ending {
    const { signal } = this.#stop;
    if (signal.reason === "stopping") return handBack;
    this.#error = error;
    const message = signal.aborted ? "cancelled" : toText(error, longestMessage);
    return {
      how: "fail",
      message: message === "" ? "the handler failed without a message" : message,
      ...(error instanceof JobError
        ? { code: error.code, retryable: error.retryable }
        : { code: "worker_failed", retryable: true }),
    };
  }

  /** As often as it takes: an ending may be said twice. */
  async #end(ending: Ending): Promise<void> {
    const { client, outage, tell } = this.#options;
    const job = this.#job;
    const { signal } = this.#givenUp;
    const backoff = new Backoff();
    while (this.#stop.signal.reason !== "lost" && !signal.aborted) {
      try {
        await client.end(job.run_id, ending, { signal });
        outage.answered(this);
        return this.#tellOf(ending);
      } catch (problem) {
        if (isOver(problem)) return tell({ type: "stopped", job, reason: "lost" });
        if (isRefused(problem)) {
          outage.answered(this);
          const plainer = toPlainer(ending, problem);
          if (plainer === undefined) return tell({ type: "failed", job, error: problem });
          if (ending.how === "complete") this.#error = problem;
          return await this.#end(plainer);
        }
        if (signal.aborted) break;
        outage.failed(this, problem);
        await backoff.wait(problem, signal);
      }
    }
    tell({ type: "stopped", job, reason: this.#stop.signal.reason });
  }

  #tellOf(ending: Ending): void {
    const { tell } = this.#options;
    const job = this.#job;
    const { reason } = this.#stop.signal;
    if (ending.how === "complete") tell({ type: "done", job });
    else if (reason !== undefined) tell({ type: "stopped", job, reason });
    else tell({ type: "failed", job, error: this.#error });
  }
}

/**
 * What to say in place of an ending that the server does not take, such as a result that is too large or cannot be sent:
 * no job is to be without an end. Undefined: it cannot be said more plainly.
 */
function toPlainer(ending: Ending, problem: unknown): Ending | undefined {
  const code = "worker_failed";
  if (ending.how === "fail") {
    const { message, retryable } = ending;
    if (ending.code === code && message.length <= shortMessage) return undefined;
    return { how: "fail", message: toText(message, shortMessage), code, retryable };
  }
  // Done again, the job would come out the same; one that is handed back did nothing wrong.
  const retryable = ending.how === "release";
  return { how: "fail", message: toText(problem, longestMessage), code, retryable };
}
