import type { Database } from "../database/database.ts";
import type { JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { RemoteJobs } from "../jobs/remote-jobs.ts";
import type { LedgerPipeline } from "./ledger.ts";

export interface LedgerOptions {
  /** Of the queues: a task and its job change in one transaction. */
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  /** For the runs of claimed tasks. */
  readonly serverKey: string;
}

/** The queue whose jobs are the PENDING tasks of a pipeline. No queue of the API has a `/` in its name. */
export function queueOf({ name }: Pick<LedgerPipeline, "name">): string {
  return `porch/${name}`;
}

/** The job of a task that is PENDING: at the task's place, so that the oldest is handed out first. */
export function jobOf({
  id,
  name,
  position,
}: {
  readonly id: number;
  /** Of its pipeline. */
  readonly name: string;
  readonly position: number;
}): NewJob {
  return {
    queue: queueOf({ name }),
    jobType: "task",
    vconUuids: [],
    payload: id,
    uniqueKey: String(id),
    position,
  };
}
