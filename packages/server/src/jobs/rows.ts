import type { Selectable } from "kysely";
import type { JobTable, RunTable } from "../database/tables.ts";
import type { WaitingJob } from "./job-queue.ts";
import type { Run } from "./run.ts";

export function toWaitingJob(row: Selectable<JobTable>): WaitingJob {
  return {
    id: row.id,
    queue: row.queue,
    state: row.state,
    jobType: row.job_type,
    vconUuids: row.vcon_uuids,
    fromQueue: row.from_queue,
    originRun: row.origin_run,
    payload: row.payload,
    priority: row.priority,
    runAfter: row.run_after,
    attempts: row.attempts,
    error: row.error,
    lastRun: row.last_run,
    createdAt: row.created_at,
  };
}

export function toRun(row: Selectable<RunTable>): Run {
  return {
    id: row.id,
    queue: row.queue,
    jobId: row.job_id,
    job: row.job,
    vconUuids: row.vcon_uuids,
    attempt: row.attempt,
    worker: row.worker,
    server: row.server,
    claimedAt: row.claimed_at,
    heartbeatAt: row.heartbeat_at,
    leaseUntil: row.lease_until,
    progress: row.progress,
    message: row.message,
    cancelRequestedAt: row.cancel_requested_at,
    overdueAt: row.overdue_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    error: row.error,
    result: row.result,
    tenant: row.tenant,
    principal: row.principal ?? undefined,
  };
}
