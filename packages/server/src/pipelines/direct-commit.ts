import type { Database, Transaction } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { VconChange, VconStore } from "../vcons/vcon-store.ts";
import { toActor } from "./actor.ts";
import { expectation } from "./atomic-committer.ts";

/**
 * Commits what a direct run changed and queued: all of it, or nothing.
 * Throws conflict when a vCon was changed meanwhile, queue_not_found when a job's queue does not exist.
 */
export type DirectCommit = (effects: {
  readonly changes: readonly VconChange[];
  readonly followUps: readonly NewJob[];
}) => Promise<void>;

/**
 * In one transaction where vCons and queues share a database. Otherwise the vCons are written first; the queues
 * are looked up before that, so that only a queue deleted in that very moment, or a crash, can part the two.
 */
export function directCommit(options: {
  readonly store: Database;
  readonly queue: Database;
  readonly vcons: VconStore;
  readonly jobs: JobQueue;
}): DirectCommit {
  const { store, queue, vcons, jobs } = options;
  const write = async (tx: Transaction, changes: readonly VconChange[]) => {
    const conflicts = await vcons.lockForChange(tx, changes.flatMap(expectation));
    const [uuid] = conflicts;
    if (uuid !== undefined) {
      throw new VconductorError("conflict", `vCon UUID: ${uuid} was changed meanwhile; nothing was saved`);
    }
    await vcons.writeIn(tx, changes);
  };
  if (store === queue) {
    return async ({ changes, followUps }) => {
      await store.transaction(async (tx) => {
        await write(tx, changes);
        await jobs.enqueueIn(tx, followUps);
      });
    };
  }
  return async ({ changes, followUps }) => {
    for (const job of followUps) await jobs.getQueue(job.queue, toActor(job.principal).viewer);
    if (changes.length > 0) await store.transaction((tx) => write(tx, changes));
    if (followUps.length > 0) await queue.transaction((tx) => jobs.enqueueIn(tx, followUps));
  };
}
