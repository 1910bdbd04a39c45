import { sql } from "kysely";
import type { AuditTrail } from "../access/audit/audit-trail.ts";
import type { Database } from "../database/database.ts";
import { retryWhileAway } from "../database/retry.ts";
import type { ClaimedJob, FinishVerdict, JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { VconStore } from "../vcons/vcon-store.ts";
import { toActor } from "./actor.ts";
import { expectation } from "./atomic-committer.ts";
import type { Committer, CommitVerdict, RunEffects } from "./committer.ts";

/**
 * For vCons and queues in different databases, which no transaction spans. First the vCon changes commit, with a
 * note that this job's are written and which jobs are to follow; then the queue's side. A crash in between leaves
 * the note: the next run of the job finds it and does the rest without processing anything again. The note's key
 * is the job, so of two runs (one of which lost its lease unawares) only one can write.
 */
export class OrderedCommitter implements Committer {
  readonly #store: Database;
  readonly #queue: Database;
  readonly #jobs: JobQueue;
  readonly #vcons: VconStore;
  readonly #audit: Pick<AuditTrail, "recordIn">;
  readonly #leaseMs: number;

  constructor(options: {
    readonly store: Database;
    readonly queue: Database;
    readonly jobs: JobQueue;
    readonly vcons: VconStore;
    readonly audit: Pick<AuditTrail, "recordIn">;
    readonly leaseMs: number;
  }) {
    this.#store = options.store;
    this.#queue = options.queue;
    this.#jobs = options.jobs;
    this.#vcons = options.vcons;
    this.#audit = options.audit;
    this.#leaseMs = options.leaseMs;
  }

  async commit(effects: RunEffects): Promise<CommitVerdict> {
    const { runId, jobId } = effects.job;
    const [alive] = await retryWhileAway(() =>
      this.#jobs.heartbeat({ runIds: [runId], leaseMs: this.#leaseMs }),
    );
    if (alive === undefined) return "lost";
    // A missing queue must be found before anything is written.
    for (const { queue, principal } of effects.followUps) {
      await retryWhileAway(() => this.#jobs.getQueue(queue, toActor(principal).viewer));
    }
    const written = await retryWhileAway(() => this.#write(effects));
    if (written === "conflict") return "conflict";
    const verdict = await this.#finish(effects.job, { followUps: effects.followUps, result: effects.result });
    // The run that has the job now still needs the note: without it, it would write a second time.
    if (verdict === "lost") return "lost";
    await this.#forget(jobId);
    return "committed";
  }

  async resume(job: ClaimedJob): Promise<boolean> {
    const note = await retryWhileAway(() =>
      this.#store.run((db) =>
        sql<{ follow_up: NewJob[] }>`
          select follow_up from vconductor.applied_job where job_id = ${job.jobId}`.execute(db),
      ),
    );
    const [applied] = note.rows;
    if (applied === undefined) return false;
    const verdict = await this.#finish(job, { followUps: applied.follow_up, result: null });
    if (verdict !== "lost") await this.#forget(job.jobId);
    return true;
  }

  async #write(effects: RunEffects): Promise<"written" | "conflict"> {
    const { runId, jobId } = effects.job;
    return await this.#store.transaction(async (tx) => {
      const noted = await sql`
        insert into vconductor.applied_job (job_id, run_id, follow_up)
        values (${jobId}, ${runId}, ${JSON.stringify(effects.followUps)}::jsonb)
        on conflict do nothing`.execute(tx);
      if (Number(noted.numAffectedRows ?? 0) === 0) return "written";
      const conflicts = await this.#vcons.lockForChange(tx, effects.changes.flatMap(expectation));
      if (conflicts.size > 0) {
        await sql`delete from vconductor.applied_job where job_id = ${jobId}`.execute(tx);
        return "conflict";
      }
      await this.#vcons.writeIn(tx, effects.changes);
      await this.#audit.recordIn(tx, effects.audit);
      return "written";
    });
  }

  async #finish(
    job: ClaimedJob,
    options: { readonly followUps: readonly NewJob[]; readonly result: unknown },
  ): Promise<FinishVerdict> {
    return await retryWhileAway(() =>
      this.#queue.transaction(async (tx) => {
        const [verdict] = await this.#jobs.finish(tx, [{ runId: job.runId, ...options }]);
        return verdict ?? "lost";
      }),
    );
  }

  /** The note has served; if this fails it merely stays. */
  async #forget(jobId: number): Promise<void> {
    await this.#store
      .run((db) => db.deleteFrom("vconductor.applied_job").where("job_id", "=", jobId).execute())
      .catch(() => {});
  }
}
