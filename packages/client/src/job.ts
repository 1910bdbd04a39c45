import { Backoff } from "./backoff.ts";
import { ApiError, type Client } from "./client.ts";
import { JobError } from "./job-error.ts";
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
  /** Called with what may interest an operator. */
  readonly tell: (event: JobEvent) => void;
}

export type JobEvent =
  | { readonly type: "done"; readonly job: RemoteJob }
  | { readonly type: "failed"; readonly job: RemoteJob; readonly error: unknown }
  | { readonly type: "stopped"; readonly job: RemoteJob; readonly reason: StopReason }
  /** The server could not be reached; it is tried again. */
  | { readonly type: "unreachable"; readonly error: unknown };

/** Progress is told so soon after it was made known. */
const progressMs = 300;
const mostTriesWhenStopping = 5;

/** One job in hand: its handler, and its heartbeats beside it. */
export class RunningJob {
  readonly #job: RemoteJob;
  readonly #options: JobOptions;
  readonly #stop = new AbortController();
  readonly #ended = new AbortController();
  readonly #queued: Json[] = [];
  #news: { progress?: number; message?: string } = {};
  #beat: ReturnType<typeof setTimeout> | undefined;

  constructor(job: RemoteJob, options: JobOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** Tells the handler to stop. */
  stop(reason: StopReason): void {
    this.#stop.abort(reason);
  }

  /** Does the job, and tells the server how it came out. Never rejects. */
  async run(): Promise<void> {
    const { client, handler } = this.#options;
    this.#beatIn(this.#everyMs);
    try {
      const result = await handler(this.#job, {
        client,
        signal: this.#stop.signal,
        progress: (percent, message) => this.#progress(percent, message),
        queueJob: (job) => void this.#queued.push(job),
      });
      await this.#end({
        how: "complete",
        result: result ?? null,
        ...(this.#queued.length > 0 ? { queue_jobs: this.#queued } : {}),
      });
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#ended.abort();
      clearTimeout(this.#beat);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { signal } = this.#stop;
    if (signal.reason === "stopping") return await this.#end({ how: "release", reason: "its worker stops" });
    const message = signal.aborted ? "cancelled" : textOf(error);
    const { code, retryable } =
      error instanceof JobError ? error : { code: "worker_failed", retryable: true };
    await this.#end({ how: "fail", message, code, retryable }, error);
  }

  /** As often as it takes: an ending may be said twice. */
  async #end(ending: Parameters<Client["end"]>[1], error?: unknown): Promise<void> {
    const { client, tell } = this.#options;
    const job = this.#job;
    const backoff = new Backoff();
    for (let tries = 1; this.#stop.signal.reason !== "lost"; tries++) {
      try {
        await client.end(job.run_id, ending);
        const { reason } = this.#stop.signal;
        if (reason !== undefined && ending.how !== "complete") tell({ type: "stopped", job, reason });
        else if (ending.how === "complete") tell({ type: "done", job });
        else tell({ type: "failed", job, error });
        return;
      } catch (problem) {
        if (problem instanceof ApiError && isOver(problem)) break;
        if (problem instanceof ApiError && !problem.isPassing) {
          // The server does not take this ending, such as a result that is too large: then it failed.
          if (ending.how === "fail") {
            tell({ type: "failed", job, error: problem });
            return;
          }
          return await this.#end(
            { how: "fail", message: problem.message, code: "worker_failed", retryable: false },
            problem,
          );
        }
        tell({ type: "unreachable", error: problem });
        // A worker is not kept from stopping by a server that is away: the job goes back when its lease has run out.
        if (this.#stop.signal.reason === "stopping" && tries >= mostTriesWhenStopping) break;
        await backoff.wait();
      }
    }
    tell({ type: "stopped", job, reason: "lost" });
  }

  #progress(percent: number, message?: string): void {
    if (this.#ended.signal.aborted || this.#stop.signal.aborted) return;
    const isFirst = Object.keys(this.#news).length === 0;
    this.#news = {
      progress: Math.max(0, Math.min(100, percent)),
      ...(message === undefined || message === "" ? {} : { message: message.slice(0, 2000) }),
    };
    if (isFirst) this.#beatIn(progressMs);
  }

  /** Three chances within a lease. */
  get #everyMs(): number {
    return (this.#options.leaseSeconds * 1000) / 3;
  }

  #beatIn(ms: number): void {
    clearTimeout(this.#beat);
    this.#beat = setTimeout(() => void this.#heartbeat(), ms);
  }

  async #heartbeat(): Promise<void> {
    const { client, leaseSeconds, tell } = this.#options;
    const news = this.#news;
    this.#news = {};
    let next = this.#everyMs;
    try {
      const told = await client.heartbeat(this.#job.run_id, { lease: leaseSeconds, ...news });
      if (told.cancelled) this.stop("cancelled");
    } catch (error) {
      if (error instanceof ApiError && isOver(error)) {
        this.stop("lost");
        return;
      }
      this.#news = { ...news, ...this.#news };
      next = Math.min(next, 1000);
      tell({ type: "unreachable", error });
    }
    if (!this.#ended.signal.aborted)
      this.#beatIn(Object.keys(this.#news).length > 0 ? Math.min(next, progressMs) : next);
  }
}

/** The job is another worker's, or nobody's. */
function isOver({ code }: ApiError): boolean {
  return code === "run_not_active" || code === "run_not_found";
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // What the server takes as the reason of a failure.
  const clean = text.replaceAll("\u0000", "").toWellFormed().slice(0, 10_000);
  return clean === "" ? "the handler failed without a message" : clean;
}
