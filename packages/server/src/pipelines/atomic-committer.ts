import type { AuditTrail } from "../access/audit/audit-trail.ts";
import { everything } from "../access/principal.ts";
import { Batch } from "../database/batch.ts";
import type { Database } from "../database/database.ts";
import { retryWhileAway } from "../database/retry.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { VconChange, VconStore } from "../vcons/vcon-store.ts";
import type { Committer, CommitVerdict, RunEffects } from "./committer.ts";

/**
 * For vCons and queues in one database: the vCon changes, the follow-up jobs and the end of the run commit in one
 * transaction. Runs that end at the same moment share one.
 */
export class AtomicCommitter implements Committer {
  readonly #database: Database;
  readonly #jobs: JobQueue;
  readonly #vcons: VconStore;
  readonly #audit: Pick<AuditTrail, "recordIn">;
  readonly #batch: Batch<RunEffects, CommitVerdict>;

  constructor(options: {
    readonly database: Database;
    readonly jobs: JobQueue;
    readonly vcons: VconStore;
    readonly audit: Pick<AuditTrail, "recordIn">;
  }) {
    this.#database = options.database;
    this.#jobs = options.jobs;
    this.#vcons = options.vcons;
    this.#audit = options.audit;
    this.#batch = new Batch((group) => this.#commit(group), { lanes: 4, limit: 32 });
  }

  commit(effects: RunEffects): Promise<CommitVerdict> {
    return this.#batch.add(effects);
  }

  async resume(): Promise<boolean> {
    return false;
  }

  async #commit(group: readonly RunEffects[]): Promise<readonly CommitVerdict[]> {
    return await retryWhileAway(() => this.#once(group));
  }

  async #once(group: readonly RunEffects[]): Promise<readonly CommitVerdict[]> {
    return await this.#database.transaction(async (tx) => {
      const conflicts = await this.#vcons.lockForChange(
        tx,
        group.flatMap((run) => run.changes).flatMap(expectation),
      );
      const clean = group.filter((run) => !run.changes.some((change) => conflicts.has(change.uuid)));
      const verdicts = await this.#jobs.finish(
        tx,
        clean.map((run) => ({ runId: run.job.runId, result: run.result, followUps: run.followUps })),
      );
      const finished = clean.filter((_, index) => verdicts[index] === "finished");
      await this.#vcons.writeIn(
        tx,
        finished.flatMap((run) => run.changes),
      );
      await this.#audit.recordIn(
        tx,
        finished.flatMap((run) => run.audit),
      );
      const lost = new Set(clean.filter((_, index) => verdicts[index] === "lost"));
      const cleanRuns = new Set(clean);
      const answers: CommitVerdict[] = [];
      for (const run of group) {
        if (lost.has(run)) answers.push("lost");
        else if (cleanRuns.has(run)) answers.push("committed");
        // After a lost answer, our own write looks like a conflict: the run itself knows that it is done.
        else answers.push((await this.#doneBefore(run)) ? "committed" : "conflict");
      }
      return answers;
    });
  }

  async #doneBefore(run: RunEffects): Promise<boolean> {
    return (await this.#jobs.getRun(run.job.runId, everything)).outcome === "done";
  }
}

export function expectation(change: VconChange) {
  return change.stored === undefined ? [] : [{ uuid: change.uuid, ...change.stored }];
}
