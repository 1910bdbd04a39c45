import { hostname } from "node:os";
import { Backoff } from "./backoff.ts";
import { ApiError, Client } from "./client.ts";
import { type JobEvent, type JobHandler, RunningJob } from "./job.ts";
import type { Json } from "./types.ts";

export interface WorkerOptions {
  /** Of the server, for example `http://127.0.0.1:8000`. */
  readonly url: string;
  /** With the scope `job:work`. Default: none, for a server without access control */
  readonly token?: string | undefined;
  /** Made with `POST /queue/NAME?kind=remote`, or `Client.makeQueue`. */
  readonly queue: string;
  readonly handler: JobHandler;
  /** Jobs at the same time. Default: 1 */
  readonly concurrency?: number;
  /** Its name on the server. Default: the host's. Two at work under one name are shown as one. */
  readonly name?: string;
  /** What the server shows of it, such as a version. */
  readonly info?: { readonly [name: string]: Json };
  /** How long the server waits without a heartbeat before it gives a job to another worker. Default: 30 */
  readonly leaseSeconds?: number;
  /** How long jobs may go on when the worker is told to stop; then they go back to their queue. Default: 30 */
  readonly drainSeconds?: number;
  /** Stop on SIGTERM and SIGINT. Default: true */
  readonly stopOnSignals?: boolean;
  /** Called with what may interest an operator. Default: one line for each on standard error */
  readonly onEvent?: (event: WorkerEvent) => void;
}

export type WorkerEvent =
  | { readonly type: "started" }
  | { readonly type: "stopping" }
  /** The worker was disabled on the server: it gets no jobs for now. */
  | { readonly type: "disabled" }
  | JobEvent;

export interface Worker {
  /** Takes no more jobs, and resolves once those in hand have ended. */
  stop(): Promise<void>;
  /** Resolves once it has stopped. Rejects when the server will not have it: a bad token, a queue of another kind. */
  readonly stopped: Promise<void>;
}

/** Each claim waits so long for a job, on the server. */
const waitSeconds = 25;

/**
 * A worker: takes jobs out of a queue and does them, until it is stopped. When the server is away it goes on with what it
 * has, and tries until it is back; a job whose heartbeats did not come through is given to another worker.
 */
export function createWorker(options: WorkerOptions): Worker {
  const { url, token, queue, handler, concurrency = 1, info, leaseSeconds = 30, drainSeconds = 30 } = options;
  const name = options.name ?? hostname();
  const tell = options.onEvent ?? ((event: WorkerEvent) => console.error(lineOf(event, queue)));
  const client = new Client({ url, token });
  const running = new Map<RunningJob, Promise<void>>();
  const stopping = new AbortController();
  let wake = () => {};

  const begin = (job: Awaited<ReturnType<Client["claim"]>>["jobs"][number]) => {
    const one = new RunningJob(job, { client, handler, leaseSeconds, tell });
    running.set(
      one,
      one.run().finally(() => {
        running.delete(one);
        wake();
      }),
    );
  };

  /** Waits for a slot. */
  const slot = async () => {
    while (running.size >= concurrency && !stopping.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  };

  const claimOnce = async () => {
    const count = Math.min(100, concurrency - running.size);
    const claimed = await client.claim(
      queue,
      {
        worker: name,
        count,
        wait: waitSeconds,
        lease: leaseSeconds,
        ...(info === undefined ? {} : { info }),
      },
      { signal: stopping.signal },
    );
    for (const job of claimed.jobs) begin(job);
    if (claimed.drain) tell({ type: "disabled" });
  };

  const work = async () => {
    tell({ type: "started" });
    const backoff = new Backoff();
    while (!stopping.signal.aborted) {
      await slot();
      if (stopping.signal.aborted) break;
      try {
        await claimOnce();
        backoff.reset();
      } catch (error) {
        if (stopping.signal.aborted) break;
        if (error instanceof ApiError && [401, 403, 422].includes(error.status)) throw error;
        tell({ type: "unreachable", error });
        await backoff.wait(stopping.signal);
      }
    }
  };

  const drain = async () => {
    const late = setTimeout(() => {
      for (const job of running.keys()) job.stop("stopping");
    }, drainSeconds * 1000);
    await Promise.all(running.values());
    clearTimeout(late);
  };

  const onSignal = () => void stop();
  const stop = () => {
    if (!stopping.signal.aborted) {
      tell({ type: "stopping" });
      stopping.abort();
      wake();
    }
    return stopped;
  };
  const signals = options.stopOnSignals === false ? [] : (["SIGTERM", "SIGINT"] as const);
  for (const signal of signals) process.on(signal, onSignal);
  const stopped = work()
    .finally(drain)
    .finally(() => {
      for (const signal of signals) process.off(signal, onSignal);
    });
  // Whoever does not look at it is not to be ended by it.
  stopped.catch((error: unknown) => tell({ type: "unreachable", error }));
  return { stop, stopped };
}

function lineOf(event: WorkerEvent, queue: string): string {
  const about = "job" in event ? `job ${event.job.job_id} (run ${event.job.run_id}) ` : "";
  const why =
    "error" in event ? `: ${event.error instanceof Error ? event.error.message : String(event.error)}` : "";
  const reason = "reason" in event ? `: ${event.reason}` : "";
  return `${new Date().toISOString()} ${queue}: ${about}${event.type}${why}${reason}`;
}
