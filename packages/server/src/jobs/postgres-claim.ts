import { sql } from "kysely";
import type { Principal } from "../access/principal.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { ClaimedJob, HandedJob, JobQueue } from "./job-queue.ts";
import { lockActive } from "./postgres-run-locks.ts";

/** What every statement that hands out jobs tells of each. */
export interface HandedRow {
  readonly run_id: number;
  readonly job_id: number;
  readonly queue: string;
  readonly job_type: string;
  readonly vcon_uuids: string[];
  readonly payload: unknown;
  readonly attempt: number;
}

interface ClaimRow extends HandedRow {
  readonly tenant: string;
  readonly principal: Principal | null;
  readonly step: number;
  readonly from_queue: string | null;
  readonly origin_run: number | null;
  readonly crashes: number;
  readonly pipeline_revision: number | null;
  readonly has_called: boolean;
}

/** Jobs going out, and the leases of those that are out. */
export function claimMethods({
  database,
  events,
  pipelinesHere,
}: JobContext): Pick<JobQueue, "claim" | "heartbeat" | "markOverdue" | "progress"> {
  return {
    async claim({ cycle, limit, kind, worker, server, leaseMs }) {
      if (cycle.length === 0 || limit < 1) return { jobs: [], last: undefined };
      const { rows } = await database.run((db) =>
        sql<ClaimRow>`
          select c.*, exists (select from vconductor.service_call s where s.job_id = c.job_id) as has_called
          from vconductor.claim(
          ${cycle.map((turn) => turn.queue)}::text[], ${cycle.map((turn) => turn.count)}::integer[],
          ${limit}, ${kind}, ${kind === "pipeline" && pipelinesHere}, ${worker}, ${server}, ${leaseMs}) c`.execute(
          db,
        ),
      );
      for (const row of rows) {
        const { run_id: run, queue, job_id: job, tenant } = row;
        events.publish({ type: "run.started", run, queue, job, tenant });
      }
      const lastStep = rows.at(-1)?.step;
      if (lastStep === undefined) return { jobs: [], last: undefined };
      const count = rows.length - 1 - rows.findLastIndex((row) => row.step !== lastStep);
      return { jobs: rows.map(toClaimedJob), last: { turn: lastStep - 1, count } };
    },

    async heartbeat({ runIds, leaseMs }) {
      if (runIds.length === 0) return [];
      const { rows } = await database.run((db) =>
        sql<{ id: number; cancel: boolean }>`
          with locked as (${lockActive(runIds, "no key update")})
          update vconductor.run r
          set heartbeat_at = now(), lease_until = now() + ${leaseMs} * interval '1 ms'
          from locked where r.id = locked.id
          returning r.id, cancel_requested_at is not null as cancel`.execute(db),
      );
      return rows.map((row) => ({ runId: row.id, cancelRequested: row.cancel }));
    },

    async markOverdue(runId) {
      await database.run((db) =>
        sql`update vconductor.run set overdue_at = now() where id = ${runId} and finished_at is null`.execute(
          db,
        ),
      );
    },

    async progress({ runId, progress, message }) {
      const rounded = Math.max(0, Math.min(100, Math.round(progress)));
      const changed = await database.run((db) =>
        db
          .updateTable("vconductor.run")
          .set({ progress: rounded, message: message ?? null })
          .where("id", "=", runId)
          .where("finished_at", "is", null)
          .returning("tenant")
          .executeTakeFirst(),
      );
      if (changed === undefined) throw runNotActive(runId);
      events.publish({ type: "run.progress", run: runId, progress: rounded, message, ...changed });
    },
  };
}

export function runNotActive(runId: number): VconductorError {
  return new VconductorError("run_not_active", `run: ${runId} has ended or its lease has passed on`);
}

export function handed(row: HandedRow): HandedJob {
  return {
    runId: row.run_id,
    jobId: row.job_id,
    queue: row.queue,
    jobType: row.job_type,
    vconUuids: row.vcon_uuids,
    payload: row.payload,
    attempt: row.attempt,
  };
}

function toClaimedJob(row: ClaimRow): ClaimedJob {
  return {
    ...handed(row),
    fromQueue: row.from_queue,
    originRun: row.origin_run,
    crashes: row.crashes,
    pipelineRevision: row.pipeline_revision,
    principal: row.principal ?? undefined,
    hasCalled: row.has_called,
  };
}
