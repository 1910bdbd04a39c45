import { sql } from "kysely";
import { own } from "../access/visible.ts";
import { channels } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue } from "./job-queue.ts";
import { toRun } from "./rows.ts";

/** What is running, what ran, and the housekeeping of both. */
export function historyMethods({
  database,
  notifier,
}: JobContext): Pick<
  JobQueue,
  | "activeRuns"
  | "getRun"
  | "listRuns"
  | "ended"
  | "promoteScheduled"
  | "wakeSuspended"
  | "purgeRuns"
  | "counts"
  | "saveCheckpoint"
  | "loadCheckpoints"
> {
  return {
    async activeRuns({ worker, kind, viewer }) {
      const rows = await database.run((db) => {
        let query = db
          .selectFrom("vconductor.run")
          .selectAll()
          .where("finished_at", "is", null)
          .where(own(viewer));
        if (worker !== undefined) query = query.where("worker", "=", worker);
        if (kind !== undefined) query = query.where("kind", "=", kind);
        return query.orderBy("id").limit(10_000).execute();
      });
      return rows.map(toRun);
    },

    async getRun(runId, viewer) {
      const row = await database.run((db) =>
        db
          .selectFrom("vconductor.run")
          .selectAll()
          .where("id", "=", runId)
          .where(own(viewer))
          .executeTakeFirst(),
      );
      if (row === undefined) throw new VconductorError("run_not_found", `run: ${runId} not found`);
      return toRun(row);
    },

    async listRuns(filter) {
      const rows = await database.run((db) => {
        let query = db
          .selectFrom("vconductor.run")
          .selectAll()
          .where(own(filter.viewer))
          .orderBy("id", "desc")
          .limit(filter.limit);
        if (filter.queue !== undefined) query = query.where("queue", "=", filter.queue);
        if (filter.vcon !== undefined)
          query = query.where("vcon_uuids", "@>", sql<string[]>`array[${filter.vcon}]::text[]`);
        if (filter.job !== undefined) query = query.where("job_id", "=", filter.job);
        if (filter.outcome !== undefined) query = query.where("outcome", "=", filter.outcome);
        if (filter.server !== undefined) query = query.where("server", "=", filter.server);
        if (filter.worker !== undefined) query = query.where("worker", "=", filter.worker);
        if (filter.before !== undefined) query = query.where("id", "<", filter.before);
        if (filter.active !== undefined)
          query = query.where("finished_at", filter.active ? "is" : "is not", null);
        return query.execute();
      });
      return rows.map(toRun);
    },

    async ended(runIds) {
      if (runIds.length === 0) return [];
      const rows = await database.run((db) =>
        sql<{ id: number }>`
          select id from vconductor.run where id = any (${[...runIds]}::bigint[]) and finished_at is not null`.execute(
          db,
        ),
      );
      return rows.rows.map((row) => row.id);
    },

    async promoteScheduled() {
      const { rows } = await database.run((db) =>
        sql<{ queue: string }>`
          with due as (
            select id from vconductor.job where state = 'scheduled' and run_after <= now()
            order by run_after limit 1000 for update skip locked
          ), overdue as (
            select j.id from vconductor.service_call s
            join vconductor.job j on j.id = s.job_id and j.state = 'suspended' and j.waits_for = s.remote_job
            where s.give_up_at <= now() limit 1000 for update of j skip locked
          )
          update vconductor.job set state = 'waiting', waits_for = null
          where id in (select id from due union all select id from overdue)
          returning queue`.execute(db),
      );
      for (const queue of new Set(rows.map((row) => row.queue))) notifier.send(channels.jobs, queue);
      const next = await database.run((db) =>
        sql<{ ms: number | null }>`
          select (extract(epoch from least(
            (select min(run_after) from vconductor.job where state = 'scheduled'),
            (select min(s.give_up_at) from vconductor.service_call s
              join vconductor.job j on j.id = s.job_id and j.state = 'suspended' and j.waits_for = s.remote_job
              where s.give_up_at is not null)
          ) - now()) * 1000)::float8 as ms`.execute(db),
      );
      return next.rows[0]?.ms ?? undefined;
    },

    async wakeSuspended() {
      const { rows } = await database.run((db) =>
        sql<{ queue: string }>`
          update vconductor.job j set state = 'waiting', waits_for = null
          where state = 'suspended' and not exists (
            select from vconductor.job w where w.id = j.waits_for and w.state <> 'failed')
          returning queue`.execute(db),
      );
      for (const queue of new Set(rows.map((row) => row.queue))) notifier.send(channels.jobs, queue);
      return rows.length;
    },

    async purgeRuns({ olderThanDays }) {
      let purged = 0;
      for (;;) {
        const { numAffectedRows } = await database.run((db) =>
          sql`
            delete from vconductor.run where id in (
              select id from vconductor.run
              where finished_at is not null and finished_at < now() - ${olderThanDays} * interval '1 day'
              order by id limit 1000 for update skip locked)`.execute(db),
        );
        purged += Number(numAffectedRows ?? 0);
        if (Number(numAffectedRows ?? 0) < 1000) return purged;
      }
    },

    async counts() {
      const { rows } = await database.run((db) =>
        sql<{ queue: string; state: string; count: number }>`
          select queue, state, count(*) as count from vconductor.job group by queue, state`.execute(db),
      );
      return rows;
    },

    async saveCheckpoint({ jobId, step, fingerprint, io }) {
      await database.run((db) =>
        db
          .insertInto("vconductor.job_checkpoint")
          .values({ job_id: jobId, step, fingerprint, io })
          .onConflict((conflict) => conflict.columns(["job_id", "step"]).doUpdateSet({ fingerprint, io }))
          .execute(),
      );
    },

    async loadCheckpoints(jobId) {
      return await database.run((db) =>
        db
          .selectFrom("vconductor.job_checkpoint")
          .select(["step", "fingerprint", "io"])
          .where("job_id", "=", jobId)
          .orderBy("step")
          .execute(),
      );
    },
  };
}
