import { setTimeout as sleep } from "node:timers/promises";
import type { Api, Run } from "./api.ts";
import type { Progress } from "./progress.ts";
import { Trouble } from "./trouble.ts";

const lookEveryMs = 100;
/** This long without any change means that nobody works on the queues. */
const stalledAfterMs = 60_000;
/** After any other outcome (crashed, released, retry …) the job comes back. */
const final = new Set(["done", "failed", "cancelled"]);

interface Watch {
  readonly api: Api;
  /** The queue with the jobs below, then those that get follow-up jobs. */
  readonly queues: readonly string[];
  readonly jobs: readonly number[];
  /** Runs up to this one are of earlier days. */
  readonly since: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Watches until the jobs, and those that they led to, have ended.
 * @returns all their runs
 * @throws Trouble when nothing happens any more
 */
export async function watchJobs(watch: Watch): Promise<readonly Run[]> {
  const { api, queues, jobs, since, progress, signal } = watch;
  const stall = new Stall(
    `Nothing has happened for ${stalledAfterMs / 1000} seconds. Has the server any workers (NUM_WORKERS, RUN_BACKGROUND_JOBS)?`,
  );
  for (;;) {
    // Queues before runs: a job that is no longer in its queue then has its run in the list.
    const waiting = await Promise.all(queues.map((queue) => api.waiting(queue)));
    const runs = (await Promise.all(queues.map((queue) => api.runsAfter(queue, since)))).flat();
    const ended = new Set(runs.filter((run) => final.has(run.outcome ?? "")).map((run) => run.jobId));
    const known = new Set([...jobs, ...runs.map((run) => run.jobId)]);
    const total = Math.max(known.size, ended.size + sum(waiting));
    const active = runs.filter((run) => run.outcome === undefined).length;
    progress.show({ done: ended.size, total, text: `${active} running, ${sum(waiting)} waiting` });
    // The end of a job and its follow-up job come in one transaction, so that no moment lies between them.
    if (sum(waiting) === 0 && ended.size === known.size) return runs;
    stall.check(`${ended.size} ${known.size} ${sum(waiting)}`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/**
 * Waits until the queues are empty: a demo that was cut short leaves jobs behind, which run at the next start.
 * @throws Trouble when nothing happens any more
 */
export async function untilIdle({
  api,
  queues,
  signal,
}: Pick<Watch, "api" | "queues" | "signal">): Promise<void> {
  const stall = new Stall(
    `Jobs of an earlier demo wait in ${queues.join(" or ")}, and nobody works on them.`,
  );
  for (;;) {
    const waiting = sum(await Promise.all(queues.map((queue) => api.waiting(queue))));
    const running = sum(await Promise.all(queues.map((queue) => api.inProgress(queue))));
    if (waiting + running === 0) return;
    stall.check(`${waiting} ${running}`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}

class Stall {
  readonly #message: string;
  #state = "";
  #since = Date.now();

  constructor(message: string) {
    this.#message = message;
  }

  check(state: string): void {
    if (state !== this.#state) this.#since = Date.now();
    this.#state = state;
    if (Date.now() - this.#since > stalledAfterMs) throw new Trouble(this.#message);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
