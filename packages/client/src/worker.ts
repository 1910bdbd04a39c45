import { hostname } from "node:os";
import { Backoff } from "./backoff.ts";
import { Client } from "./client.ts";
import { ApiError, UnsendableError } from "./errors.ts";
import { type JobEvent, type JobHandler, RunningJob } from "./job.ts";
import { Outage, type OutageEvent } from "./outage.ts";
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
  /**
   * Its name on the server, the same after a restart. Default: the host's. Several under one name keep their jobs apart,
   * but are shown as one and disabled as one.
   */
  readonly name?: string;
  /** What the server shows of it, such as a version. */
  readonly info?: { readonly [name: string]: Json };
  /** How long the server waits without a heartbeat before it gives a job to another worker. Default: 30 */
  readonly leaseSeconds?: number;
  /**
   * How long jobs may go on when the worker is told to stop; then their signal is aborted, and they go back to their queue.
   * Default: 30
   */
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
  /** There is no such queue yet: it is asked for again until there is. */
  | { readonly type: "no_queue" }
  /** The server will not have the worker, which stops. */
  | { readonly type: "refused"; readonly error: unknown }
  | OutageEvent
  | JobEvent;

export interface Worker {
  /**
   * Takes no more jobs, and resolves once those in hand have ended: a few seconds after `drainSeconds` at the latest. A
   * handler that does not obey its signal is left behind then.
   */
  stop(): Promise<void>;
  /** Resolves once it has stopped. Rejects when the server will not have it: a bad token, a queue of another kind. */
  readonly stopped: Promise<void>;
}

/** Each claim waits so long for a job, on the server. */
const waitSeconds = 25;
/** Handlers have so long to obey their signal. */
const graceMs = 2000;
/** The server has so long to hear of jobs that go back. */
const partingMs = 3000;

/**
 * A worker: takes jobs out of a queue and does them, until it is stopped. When the server is away it goes on with what it
 * has, and tries until it is back; a job whose heartbeats did not come through is given to another worker.
 */
export function createWorker(options: WorkerOptions): Worker {
  const { url, token, queue, handler, concurrency = 1, info, leaseSeconds = 30, drainSeconds = 30 } = options;
  const name = options.name ?? hostname();
  const onEvent = options.onEvent ?? ((event: WorkerEvent) => console.error(lineOf(event, queue)));
  // Whatever a listener throws, at once or later, is no reason to leave a job.
  const tell = (event: WorkerEvent) =>
    void new Promise<void>((resolve) => resolve(onEvent(event))).catch((error: unknown) =>
      console.error("onEvent:", error),
    );
  const client = new Client({ url, token });
  const outage = new Outage(tell);
  const running = new Map<RunningJob, Promise<void>>();
  const stopping = new AbortController();
  let wake = () => {};

  const begin = (job: Awaited<ReturnType<Client["claim"]>>["jobs"][number]) => {
    const one = new RunningJob(job, { client, handler, leaseSeconds, outage, tell });
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

  const claim = async (wait: number) => {
    const count = Math.min(100, concurrency - running.size);
    const claimed = await client.claim(
      queue,
      { worker: name, count, wait, lease: leaseSeconds, ...(info === undefined ? {} : { info }) },
      { signal: stopping.signal },
    );
    for (const job of claimed.jobs) begin(job);
    return claimed.drain ? "disabled" : "working";
  };

  const work = async () => {
    tell({ type: "started" });
    const backoff = new Backoff();
    let state: "working" | "disabled" | "no_queue" = "working";
    const become = (next: typeof state) => {
      if (next !== state && next !== "working") tell({ type: next });
      state = next;
    };
    let wait = waitSeconds;
    while (!stopping.signal.aborted) {
      await slot();
      if (stopping.signal.aborted) break;
      try {
        become(await claim(wait));
        outage.answered(work);
        backoff.reset();
        wait = waitSeconds;
      } catch (error) {
        if (stopping.signal.aborted) break;
        if (isFinal(error)) throw error;
        if (error instanceof ApiError && error.code === "queue_not_found") {
          outage.answered(work);
          become("no_queue");
        } else outage.failed(work, error);
        // The next one is to hear at once whether the server is back.
        wait = 0;
        await backoff.wait(error, stopping.signal);
      }
    }
  };

  const drain = async () => {
    outage.gone(work);
    const ended = Promise.all(running.values());
    const steps = [
      [drainSeconds * 1000, (job: RunningJob) => job.stop("stopping")],
      [graceMs, (job: RunningJob) => job.abandon()],
      [partingMs, (job: RunningJob) => job.giveUp()],
    ] as const;
    for (const [ms, act] of steps) {
      if (await isWithin(ms, ended)) return;
      for (const job of running.keys()) act(job);
    }
    await ended;
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
  stopped.catch((error: unknown) => tell({ type: "refused", error }));
  return { stop, stopped };
}

/** Trying again could not help: a bad token, a queue of another kind, an `info` that is no JSON. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof UnsendableError || (error instanceof ApiError && [401, 403, 422].includes(error.status))
  );
}

/** Whether it resolves within so many milliseconds. */
async function isWithin(ms: number, done: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  // The longest that timers know: beyond that they fire at once.
  const timer = setTimeout(() => resolve(false), Math.min(ms, 2 ** 31 - 1));
  const isDone = await Promise.race([done.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}

const words: Partial<Record<WorkerEvent["type"], string>> = {
  disabled: "disabled on the server: it gets no jobs for now",
  no_queue: "there is no such queue yet; it is asked for again until there is",
  reachable: "reachable again",
  refused: "the server will not have it",
};

function lineOf(event: WorkerEvent, queue: string): string {
  const about = "job" in event ? `job ${event.job.job_id} (run ${event.job.run_id}) ` : "";
  const why =
    "error" in event ? `: ${event.error instanceof Error ? event.error.message : String(event.error)}` : "";
  const reason = "reason" in event ? `: ${event.reason}` : "";
  return `${new Date().toISOString()} ${queue}: ${about}${words[event.type] ?? event.type}${why}${reason}`;
}
