import type { WaitingJob } from "../jobs/job-queue.ts";
import type { Run } from "../jobs/run.ts";
import type { UsageSum } from "../usage/usage-ledger.ts";
import { toUsageJson } from "./usage-json.ts";

/** A waiting job, in the reference's shape and with what we add. */
export function toQueueJob(job: WaitingJob) {
  return {
    job_type: job.jobType,
    vcon_uuid: job.vconUuids,
    ...(job.fromQueue === null ? {} : { queue: job.fromQueue }),
    ...(job.originRun === null ? {} : { failed_job_id: String(job.originRun) }),
    id: job.id,
    ...(job.priority === 0 ? {} : { priority: job.priority }),
    ...(job.state === "scheduled" && job.runAfter !== null ? { run_after: job.runAfter } : {}),
    ...(job.error === null ? {} : { failure: job.error }),
    ...(job.payload === null ? {} : { payload: job.payload }),
    ...(job.state === "suspended" ? { state: job.state } : {}),
  };
}

export function toFailedJob(job: WaitingJob) {
  return {
    id: job.id,
    run_id: job.lastRun,
    job_type: job.jobType,
    vcon_uuid: job.vconUuids,
    attempts: job.attempts,
    error: job.error,
    queued_at: job.createdAt,
  };
}

/** A run under way, in the reference's shape. */
export function toInProgress(run: Run) {
  return {
    id: String(run.id),
    queue: run.queue,
    server: run.server,
    dequeued: run.claimedAt.getTime() / 1000,
    job: run.job,
  };
}

export function toRunJson(run: Run, usage: UsageSum | undefined) {
  return {
    id: run.id,
    queue: run.queue,
    job_id: run.jobId,
    job: run.job,
    vcon_uuid: run.vconUuids,
    attempt: run.attempt,
    worker: run.worker,
    server: run.server,
    claimed_at: run.claimedAt,
    heartbeat_at: run.heartbeatAt,
    lease_until: run.leaseUntil,
    progress: run.progress,
    message: run.message,
    cancel_requested_at: run.cancelRequestedAt,
    finished_at: run.finishedAt,
    duration: run.finishedAt === null ? null : (run.finishedAt.getTime() - run.claimedAt.getTime()) / 1000,
    outcome: run.outcome,
    error: run.error,
    result: run.result,
    tenant: run.tenant,
    principal: run.principal === undefined ? null : { id: run.principal.id, name: run.principal.name },
    usage: toUsageJson(usage),
  };
}
