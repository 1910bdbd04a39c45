import { type Selectable, sql } from "kysely";
import type { Transaction } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import type { RunTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue, NewCall } from "./job-queue.ts";
import { backToWaiting, cancelIfAsked, endRun } from "./postgres-endings.ts";
import { insertJobs } from "./postgres-enqueue.ts";
import { queueNotFound } from "./postgres-queues.ts";
import { lockRun } from "./postgres-run-locks.ts";
import { toRun } from "./rows.ts";

/** Jobs that wait for other jobs: a step of theirs has asked a remote worker for something. */
export function suspensionMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<JobQueue, "suspend" | "serviceCall" | "outcomeOf" | "forgetServiceCall"> {
  return {
    async suspend({ runId, key, call, checkpoint }) {
      const ended = await database.transaction(async (tx) => {
        const run = await lockRun(tx, runId);
        if (run === undefined) return undefined;
        if (await cancelIfAsked(tx, run)) return { outcome: "cancelled" as const, run };
        const { job_id: jobId } = run;
        const remoteJob = "job" in call ? await ask(tx, { jobId, key, ...call }) : call.remoteJob;
        if (checkpoint !== undefined) {
          await tx
            .insertInto("vconductor.job_checkpoint")
            .values({ job_id: jobId, ...checkpoint })
            .onConflict((conflict) => conflict.columns(["job_id", "step"]).doUpdateSet({ ...checkpoint }))
            .execute();
        }
        const message = `waits for a remote worker: job ${remoteJob}`;
        await endRun(tx, { runId, outcome: "suspended", error: { code: "suspended", message } });
        await backToWaiting(tx, { jobId, crashes: 0 });
        // One that has ended meanwhile wakes nobody any more.
        if (await isPending(tx, remoteJob)) {
          await tx
            .updateTable("vconductor.job")
            .set({ state: "suspended", waits_for: remoteJob })
            .where("id", "=", jobId)
            .execute();
        }
        return { outcome: "suspended" as const, run };
      });
      if (ended === undefined) throw new VconductorError("run_not_active", `run: ${runId} has ended`);
      const { outcome, run } = ended;
      const { queue, tenant } = run;
      events.publish({ type: "run.finished", run: runId, queue, outcome, tenant });
      // The vCons that the run held are free.
      notifier.send(channels.jobs, queue);
      if ("job" in call) notifier.send(channels.jobs, call.job.queue);
    },

    async serviceCall({ jobId, key }) {
      return await database.run((db) =>
        db
          .selectFrom("vconductor.service_call")
          .select([
            "remote_job as remoteJob",
            sql<boolean>`coalesce(give_up_at <= now(), false)`.as("isOverdue"),
          ])
          .where("job_id", "=", jobId)
          .where("key", "=", key)
          .executeTakeFirst(),
      );
    },

    async outcomeOf(jobId) {
      // One statement: a job that ends meanwhile is seen as it was before, or as it is then.
      const { rows } = await database.run((db) =>
        sql<Selectable<RunTable> & { pending: boolean; ran: boolean }>`
          select coalesce(j.state <> 'failed', false) as pending, r.id is not null as ran, r.*
          from (values (${jobId}::bigint)) given (job)
          left join vconductor.job j on j.id = given.job
          left join lateral (
            select * from vconductor.run where job_id = given.job order by id desc limit 1) r on true`.execute(
          db,
        ),
      );
      const [row] = rows;
      return { pending: row?.pending ?? false, lastRun: row?.ran ? toRun(row) : undefined };
    },

    async forgetServiceCall({ jobId, key }) {
      await database.run((db) =>
        db.deleteFrom("vconductor.service_call").where("job_id", "=", jobId).where("key", "=", key).execute(),
      );
    },
  };
}

/** Queues the remote job that a step asks for. @throws queue_not_found */
async function ask(
  tx: Transaction,
  { jobId, key, job, giveUpAfterMs }: NewCall & { readonly jobId: number; readonly key: string },
): Promise<number> {
  const [remoteJob] = await insertJobs(tx, [job]);
  if (remoteJob === undefined) throw queueNotFound(job.queue);
  const call = {
    remote_job: remoteJob,
    give_up_at: sql<Date | null>`now() + ${giveUpAfterMs ?? null}::float8 * interval '1 ms'`,
  };
  await tx
    .insertInto("vconductor.service_call")
    .values({ job_id: jobId, key, ...call })
    .onConflict((conflict) => conflict.columns(["job_id", "key"]).doUpdateSet(call))
    .execute();
  return remoteJob;
}

/** Whether a job waits or runs; it cannot end before the transaction has. */
async function isPending(tx: Transaction, jobId: number): Promise<boolean> {
  const job = await tx
    .selectFrom("vconductor.job")
    .select("id")
    .where("id", "=", jobId)
    .where("state", "<>", "failed")
    .forShare()
    .executeTakeFirst();
  return job !== undefined;
}
