import type { AuditEntry } from "../access/audit/audit-trail.ts";
import type { ClaimedJob, NewJob } from "../jobs/job-queue.ts";
import type { VconChange } from "../vcons/vcon-store.ts";

/** The effects of one run: all of them are committed together, once. */
export interface RunEffects {
  readonly job: ClaimedJob;
  readonly changes: readonly VconChange[];
  readonly followUps: readonly NewJob[];
  readonly result: unknown;
  /** What is to be recorded of it; goes with the changes. */
  readonly audit: readonly AuditEntry[];
}

/**
 * `committed`: done, by this call or by an earlier one whose answer was lost.
 * `conflict`: a vCon was changed from outside since it was read; nothing was written.
 * `lost`: the lease had passed to another run; nothing was written.
 */
export type CommitVerdict = "committed" | "conflict" | "lost";

/**
 * Makes the effects of runs permanent. While the database is away it waits and tries again.
 * Throws queue_not_found when a follow-up job's queue does not exist; nothing was written then.
 */
export interface Committer {
  commit(effects: RunEffects): Promise<CommitVerdict>;
  /**
   * Finishes a job whose vCon changes an earlier run had already written. Answers false if there were none.
   * Only possible where vCons and queues are in different databases.
   */
  resume(job: ClaimedJob): Promise<boolean>;
}
