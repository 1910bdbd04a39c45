import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { everything, type Principal } from "../access/principal.ts";
import type { GatewayService } from "../config/gateway-config.ts";
import type { Database } from "../database/database.ts";
import type { JobOutcome, JobQueue } from "../jobs/job-queue.ts";
import { cancelJob, ensureQueue } from "../jobs/remote-queues.ts";
import type { Run } from "../jobs/run.ts";

/** How a request stands, in Celery's words, which clients of the gateway know. */
export interface ServiceStatus {
  /**
   * PENDING, STARTED, PROGRESS, SUCCESS, FAILURE, RETRY, REVOKED; EXPIRED when it ended so long ago that nothing is kept of
   * it; or a state of the worker's own.
   */
  readonly state: string;
  /** Of SUCCESS what the worker answered, as `JobValues` keeps it; of PROGRESS and failures an object; else null. */
  readonly result: unknown;
}

/** What a service was asked. */
export interface GatewayRequest {
  readonly id: string;
  readonly service: string;
  readonly jobId: number;
  /** When it was cancelled; null: it was not, or had ended before. */
  readonly cancelledAt: Date | null;
  /** What a worker of Celery said last. */
  readonly reported: { readonly status: string; readonly result: unknown } | null;
}

/** Requests to the services of the gateway: each is a job, and what is known of it is what is known of that job. */
export class GatewayRequests {
  readonly #database: Database;
  readonly #jobs: JobQueue;

  /** @param options.database of the queues */
  constructor(options: { readonly database: Database; readonly jobs: JobQueue }) {
    this.#database = options.database;
    this.#jobs = options.jobs;
  }

  /** Queues a job for the service's workers. @param request.message what they get @returns the request's id */
  async submit(request: {
    readonly name: string;
    readonly service: GatewayService;
    readonly caller: Principal;
    readonly message: unknown;
    readonly callback: string | undefined;
  }): Promise<string> {
    const { name, service, caller, message, callback } = request;
    const { celery_queue_name: queue, celery_task_name: jobType } = service;
    await this.requireQueue(service);
    const id = randomUUID();
    // Workers of Celery that are made for the gateway call back themselves, with the same words.
    const { callbacks: callsBack = service.transport !== "celery" } = service;
    const isWanted = callsBack && callback !== undefined;
    await this.#database.transaction(async (tx) => {
      const [jobId = 0] = await this.#jobs.enqueueIn(tx, [
        { queue, jobType, vconUuids: [], payload: message, principal: caller },
      ]);
      await tx
        .insertInto("vconductor.gateway_request")
        .values({
          id,
          task_id: id,
          tenant: caller.tenant,
          service: name,
          job_id: jobId,
          cancelled_at: null,
          callback: isWanted ? callback : null,
          callback_done: !isWanted,
        })
        .execute();
    });
    return id;
  }

  async find(id: string, service: string): Promise<GatewayRequest | undefined> {
    if (!isRequestId(id)) return undefined;
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.gateway_request")
        .select(["id", "service", "job_id", "cancelled_at", "reported"])
        .where("id", "=", id)
        .where("service", "=", service)
        .executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    return {
      id: row.id,
      service: row.service,
      jobId: row.job_id,
      cancelledAt: row.cancelled_at,
      reported: toReport(row.reported),
    };
  }

  async status(request: GatewayRequest, service: GatewayService): Promise<ServiceStatus> {
    const outcome = await this.#jobs.outcomeOf(request.jobId);
    const version = (await this.#versionOf(outcome.lastRun)) ?? service.version ?? "";
    return statusOf(outcome, { request, service, version });
  }

  /** The `version` in what the remote worker of a run tells of itself: the tenant's own, if others have one of that name. */
  async #versionOf(run: Run | undefined): Promise<string | undefined> {
    if (run === undefined) return undefined;
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.remote_worker")
        .select(sql<string | null>`status ->> 'version'`.as("version"))
        .where("face", "=", "remote")
        .where("id", "=", run.worker)
        .orderBy(sql`tenant <> ${run.tenant}`)
        .orderBy("last_seen", "desc")
        .executeTakeFirst(),
    );
    return row?.version ?? undefined;
  }

  /** Takes the job off its queue, or tells its worker to stop. One that has ended stays as it is. */
  async cancel(request: GatewayRequest, service: GatewayService): Promise<GatewayRequest> {
    const { rows } = await this.#database.run((db) =>
      sql`update vconductor.gateway_request g set cancelled_at = coalesce(cancelled_at, now()), ${unwanted}
        where id = ${request.id}
          and exists (select from vconductor.job j where j.id = g.job_id and j.state <> 'failed')
        returning id`.execute(db),
    );
    if (rows.length === 0) return request;
    await cancelJob(this.#jobs, {
      viewer: everything,
      queue: service.celery_queue_name,
      jobId: request.jobId,
    });
    return (await this.find(request.id, request.service)) ?? request;
  }

  /** How often a service was asked, and since when that is known. */
  async invocations(service: string): Promise<{ readonly count: number; readonly since: Date | undefined }> {
    const { rows } = await this.#database.run((db) =>
      sql<{ count: number; since: Date | null }>`select count(*) as count, min(created_at) as since
        from vconductor.gateway_request where service = ${service}`.execute(db),
    );
    return { count: rows[0]?.count ?? 0, since: rows[0]?.since ?? undefined };
  }

  /** The queue of a service is there from now on. @throws invalid_options it is there, for others */
  async requireQueue({ celery_queue_name: name, transport = "remote" }: GatewayService): Promise<void> {
    await ensureQueue(this.#jobs, { name, kind: transport, viewer: everything });
  }
}

/** For an update of requests: nobody waits for its task any more. Workers of Celery are told, where the broker has it. */
export const unwanted = sql`
  unwanted_at = case when sent_at is not null then coalesce(unwanted_at, now()) end,
  revoke_after = case when sent_at is not null and ended_at is null then now() end`;

export function isRequestId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(text);
}

function toReport(value: unknown): GatewayRequest["reported"] {
  const { status, result = null }: { status?: unknown; result?: unknown } = Object(value);
  return typeof status === "string" ? { status, result } : null;
}

function statusOf(
  { pending, lastRun }: JobOutcome,
  about: { readonly request: GatewayRequest; readonly service: GatewayService; readonly version: string },
): ServiceStatus {
  const { cancelledAt } = about.request;
  if (pending && about.service.transport === "celery") return reportedOf(about.request, lastRun);
  if (lastRun === undefined) {
    if (pending) return waiting;
    return cancelledAt === null ? { state: "EXPIRED", result: null } : revoked("revoked");
  }
  if (lastRun.finishedAt === null) {
    const says = lastRun.progress > 0 || lastRun.message !== null;
    return says
      ? { state: "PROGRESS", result: progressOf(lastRun, about) }
      : { state: "STARTED", result: null };
  }
  if (pending) {
    const isRetry = lastRun.outcome === "retry";
    return isRetry ? { state: "RETRY", result: failureOf(lastRun) } : waiting;
  }
  if (lastRun.outcome === "done") return { state: "SUCCESS", result: lastRun.result };
  // One that failed may have been tried again by somebody, and been cancelled then.
  const isCancelled =
    cancelledAt !== null && (lastRun.outcome !== "failed" || cancelledAt > lastRun.finishedAt);
  return lastRun.outcome === "cancelled" || isCancelled
    ? revoked("terminated")
    : { state: "FAILURE", result: failureOf(lastRun) };
}

const waiting: ServiceStatus = { state: "PENDING", result: null };

/** What a worker of Celery said last, whoever holds its run now. A task that failed and is tried again is another one. */
function reportedOf({ reported }: GatewayRequest, lastRun: Run | undefined): ServiceStatus {
  if (reported === null || lastRun?.outcome === "failed") return waiting;
  const isSilent = reported.status === "STARTED" || reported.status === "RECEIVED";
  return { state: reported.status, result: isSilent ? null : reported.result };
}

function progressOf(
  { progress, claimedAt, worker, message }: Run,
  { service, version }: { readonly service: GatewayService; readonly version: string },
) {
  return {
    current: progress,
    total: 100,
    worker_id_version: version,
    start_time: claimedAt.toISOString().slice(0, 19),
    host: worker,
    type: service.celery_task_name,
    ...(message === null ? {} : { message }),
  };
}

/** The number at the end of a worker's error code, such as `vesta_301`, is the gateway's code; 101 where there is none. */
function failureOf({ error }: Run) {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error);
  const [, number] = /_(\d{3})$/.exec(String(code)) ?? [];
  return { code: number === undefined ? 101 : Number(number), message: String(message) };
}

function revoked(how: "revoked" | "terminated"): ServiceStatus {
  return { state: "REVOKED", result: { code: 109, message: how } };
}
