import { randomUUID } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
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
  readonly cancelled: boolean;
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
    await this.#database.transaction(async (tx) => {
      const [jobId = 0] = await this.#jobs.enqueueIn(tx, [
        { queue, jobType, vconUuids: [], payload: message, principal: caller },
      ]);
      await tx
        .insertInto("vconductor.gateway_request")
        .values({
          id,
          tenant: caller.tenant,
          service: name,
          job_id: jobId,
          cancelled_at: null,
          callback: callback ?? null,
          callback_done: callback === undefined,
        })
        .execute();
    });
    return id;
  }

  async find(id: string, service: string): Promise<GatewayRequest | undefined> {
    if (!uuid.test(id)) return undefined;
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
      cancelled: row.cancelled_at !== null,
      reported: toReport(row.reported),
    };
  }

  async status(request: GatewayRequest, service: GatewayService): Promise<ServiceStatus> {
    const outcome = await this.#jobs.outcomeOf(request.jobId);
    const version = (await this.#versionOf(outcome.lastRun?.worker)) ?? service.version ?? "";
    return statusOf(outcome, { request, service, version });
  }

  /** The `version` in what a remote worker tells of itself. */
  async #versionOf(worker: string | undefined): Promise<string | undefined> {
    if (worker === undefined) return undefined;
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.remote_worker")
        .select(sql<string | null>`status ->> 'version'`.as("version"))
        .where("face", "=", "remote")
        .where("id", "=", worker)
        .orderBy("last_seen", "desc")
        .executeTakeFirst(),
    );
    return row?.version ?? undefined;
  }

  /** Takes the job off its queue, or tells its worker to stop. One that has ended stays as it is. */
  async cancel(
    request: GatewayRequest,
    { celery_queue_name: queue }: GatewayService,
  ): Promise<GatewayRequest> {
    await this.#set(request.id, sql`cancelled_at = coalesce(cancelled_at, now())`);
    await cancelJob(this.#jobs, { viewer: everything, queue, jobId: request.jobId });
    return { ...request, cancelled: true };
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

  /** The request that a job is for, and whether it has been sent to the broker. @throws Error it is for none */
  async ofJob(jobId: number): Promise<{ readonly id: string; readonly isSent: boolean }> {
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.gateway_request")
        .select(["id", "sent_at"])
        .where("job_id", "=", jobId)
        .executeTakeFirst(),
    );
    if (row === undefined) throw new Error(`job ${jobId} was not asked for through the gateway`);
    return { id: row.id, isSent: row.sent_at !== null };
  }

  /** The run under way of a request's job; undefined: there is no such request. */
  async runOf(id: string): Promise<{ readonly runId: number | undefined } | undefined> {
    if (!uuid.test(id)) return undefined;
    const { rows } = await this.#database.run((db) =>
      sql<{ run_id: number | null; pending: boolean }>`
        select (select r.id from vconductor.run r where r.job_id = g.job_id and r.finished_at is null) as run_id,
          exists (select from vconductor.job j where j.id = g.job_id and j.state <> 'failed') as pending
        from vconductor.gateway_request g where g.id = ${id}`.execute(db),
    );
    const [row] = rows;
    // A job that is gone has ended, whatever comes of it still.
    return row?.pending ? { runId: row.run_id ?? undefined } : undefined;
  }

  /** The broker has it: it is not to be sent again. */
  async noteSent(id: string): Promise<void> {
    await this.#set(id, sql`sent_at = now()`);
  }

  /** It failed: who tries it again sends it again. */
  async forgetSent(id: string): Promise<void> {
    await this.#set(id, sql`sent_at = null, started_at = null, reported = null`);
  }

  async noteReport(id: string, report: { readonly status: string; readonly result: unknown }): Promise<void> {
    const text = JSON.stringify(report);
    // PostgreSQL's JSON cannot hold those; it is news that pass.
    if (/\\u(?:0000|d[89a-f])/i.test(text)) return;
    await this.#set(id, sql`reported = ${text}::jsonb, started_at = coalesce(started_at, now())`);
  }

  async #set(id: string, change: RawBuilder<unknown>): Promise<void> {
    await this.#database.run((db) =>
      sql`update vconductor.gateway_request set ${change} where id = ${id}`.execute(db),
    );
  }
}

const uuid = /^[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;

function toReport(value: unknown): GatewayRequest["reported"] {
  const { status, result = null }: { status?: unknown; result?: unknown } = Object(value);
  return typeof status === "string" ? { status, result } : null;
}

function statusOf(
  { pending, lastRun }: JobOutcome,
  about: { readonly request: GatewayRequest; readonly service: GatewayService; readonly version: string },
): ServiceStatus {
  if (lastRun === undefined) {
    if (pending) return { state: "PENDING", result: null };
    return about.request.cancelled ? revoked("revoked") : { state: "EXPIRED", result: null };
  }
  if (lastRun.finishedAt === null) {
    const { reported } = about.request;
    if (reported !== null) {
      const isSilent = reported.status === "STARTED" || reported.status === "RECEIVED";
      return { state: reported.status, result: isSilent ? null : reported.result };
    }
    const says = lastRun.progress > 0 || lastRun.message !== null;
    return says
      ? { state: "PROGRESS", result: progressOf(lastRun, about) }
      : { state: "STARTED", result: null };
  }
  if (pending) {
    const isRetry = lastRun.outcome === "retry";
    return isRetry ? { state: "RETRY", result: failureOf(lastRun) } : { state: "PENDING", result: null };
  }
  if (lastRun.outcome === "done") return { state: "SUCCESS", result: lastRun.result };
  return lastRun.outcome === "cancelled" || about.request.cancelled
    ? revoked("terminated")
    : { state: "FAILURE", result: failureOf(lastRun) };
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
