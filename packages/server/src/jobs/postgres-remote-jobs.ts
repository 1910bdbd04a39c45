import { type RawBuilder, type Selectable, sql } from "kysely";
import { own } from "../access/visible.ts";
import { Batch } from "../database/batch.ts";
import { afterCommit, type Executor, type Transaction } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import type { RunTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue, NewJob } from "./job-queue.ts";
import { type HandedRow, handed, runNotActive } from "./postgres-claim.ts";
import { backToWaiting, endRun } from "./postgres-endings.ts";
import { lockRun } from "./postgres-run-locks.ts";
import { queueSettings, type RemoteJob, type RemoteJobs, type WorksFor } from "./remote-jobs.ts";
import { percentOf } from "./run.ts";

interface ClaimRow extends HandedRow {
  readonly lease_until: Date;
  readonly created_at: Date;
  readonly tenant: string;
}

interface Completion {
  readonly runId: number;
  readonly by: WorksFor;
  readonly result: unknown;
  readonly followUps: readonly NewJob[];
}

/** Remote jobs on PostgreSQL. @param jobs on the same database */
export function postgresRemoteJobs(context: JobContext, jobs: JobQueue): RemoteJobs {
  const { database, notifier, events } = context;

  const told = (rows: readonly ClaimRow[]): readonly RemoteJob[] => {
    for (const { run_id: run, job_id: job, queue, tenant } of rows) {
      events.publish({ type: "run.started", run, queue, job, tenant });
    }
    return rows.map(toRemoteJob);
  };

  const tellProgress = ({ runId: run, progress, message }: Beat, { tenant }: BeatRow) => {
    const percent = percentOf(progress);
    if (percent !== null) events.publish({ type: "run.progress", run, progress: percent, message, tenant });
  };

  /** Claims of the same jobs that arrive at the same moment share a statement. */
  const claims = new Batch<Claim, readonly RemoteJob[]>(
    async (group) => {
      const groups = Map.groupBy(group, ({ queue, kind, viewer }) =>
        JSON.stringify([queue, kind, viewer.tenant, viewer.all]),
      );
      const found = new Map<Claim, readonly RemoteJob[]>();
      for (const alike of groups.values()) {
        const rows = await database.run((db) => claim(db, alike));
        for (const [index, one] of alike.entries()) found.set(one, told(rows[index] ?? []));
      }
      return group.map((one) => found.get(one) ?? []);
    },
    { lanes: 2 },
  );

  /** Runs that end at the same moment share a transaction. */
  const completions = new Batch<Completion, "finished" | "already" | "lost">(
    (group) =>
      database.transaction(async (tx) => {
        const allowed = await allowedRuns(tx, group);
        const verdicts = await jobs.finish(
          tx,
          group.filter(({ runId }) => allowed.has(runId)),
        );
        let next = 0;
        return group.map(({ runId }) => (allowed.has(runId) ? (verdicts[next++] ?? "lost") : "lost"));
      }),
    // A run that is named twice, by an impatient worker, ends once.
    { lanes: 2, key: ({ runId }) => String(runId) },
  );

  /** The run, whether it has ended or not. @throws run_not_found it is not the worker's */
  const ownRun = async (runId: number, by: WorksFor): Promise<Selectable<RunTable>> => {
    const run = await database.run((db) =>
      db.selectFrom("vconductor.run").selectAll().where("id", "=", runId).where(mine(by)).executeTakeFirst(),
    );
    if (run === undefined) throw new VconductorError("run_not_found", `run: ${runId} not found`);
    return run;
  };

  const requireMine = async (runId: number, by: WorksFor): Promise<Selectable<RunTable>> => {
    const run = await ownRun(runId, by);
    if (run.finished_at !== null) throw runNotActive(runId);
    return run;
  };

  return {
    claim: (options) => claims.add(options),

    async claimIn(tx, options) {
      const [rows = []] = await claim(tx, [options]);
      afterCommit(tx, () => told(rows));
      return rows.map(toRemoteJob);
    },

    async heartbeat(options) {
      const row = await database.run((db) => beat(db, options));
      if (row === undefined) {
        await requireMine(options.runId, options.by);
        throw runNotActive(options.runId);
      }
      tellProgress(options, row);
      return { leaseUntil: row.lease_until, cancelRequested: row.cancel, drain: row.drain };
    },

    async heartbeatIn(tx, options) {
      const row = await beat(tx, options);
      if (row === undefined) throw runNotActive(options.runId);
      afterCommit(tx, () => tellProgress(options, row));
    },

    async complete(options) {
      const verdict = await completions.add(options);
      if (verdict !== "lost") return;
      await requireMine(options.runId, options.by);
      throw runNotActive(options.runId);
    },

    async fail({ runId, by, error, retry }) {
      const { queue } = await ownRun(runId, by);
      const { failureQueue, ...policy } = await settingsOf(context, queue);
      const now = await jobs.fail({ runId, error, failureQueue, ...(retry ? { retry: policy } : {}) });
      if (now !== undefined) return now;
      const { outcome: before } = await ownRun(runId, by);
      if (before === "failed" || before === "retry" || before === "cancelled") return before;
      throw runNotActive(runId);
    },

    async settleIn(tx, { runId, outcome, reason }) {
      const run = await lockRun(tx, runId);
      if (run === undefined) return;
      const { job_id: jobId, queue, tenant } = run;
      await endRun(tx, { runId, outcome, error: { code: outcome, message: reason } });
      if (outcome === "released") await backToWaiting(tx, { jobId, crashes: 0 });
      else await tx.deleteFrom("vconductor.job").where("id", "=", jobId).execute();
      afterCommit(tx, () => {
        events.publish({ type: "run.finished", run: runId, queue, outcome, tenant });
        notifier.send(channels.jobs, queue);
      });
    },

    async attend({ kind, viewer: { tenant }, worker, runId, leaseMs, progress }) {
      const lease = sql`${leaseMs}::float8 * interval '1 ms'`;
      const isNamed = sql`id = ${runId ?? null}::bigint`;
      const percent = sql`${percentOf(progress)}::smallint`;
      await database.run((db) =>
        sql`update vconductor.run set worker = ${worker}, heartbeat_at = now(), lease_until = now() + ${lease},
            progress = case when ${isNamed} then coalesce(${percent}, progress) else progress end
          where finished_at is null and kind = ${kind} and tenant = ${tenant}
            and (${isNamed} or (worker = ${worker} and claimed_at > now() - ${lease}))`.execute(db),
      );
    },

    async withdrawIn(tx, { queue, uniqueKey }) {
      // The states are in the text: as parameters they would not show that the index of unique keys has what is wanted.
      await sql`delete from vconductor.job where queue = ${queue} and unique_key = ${uniqueKey}
        and state in ('waiting', 'scheduled')`.execute(tx);
    },

    async release({ runId, by, reason }) {
      await ownRun(runId, by);
      const [now] = await jobs.release({ runIds: [runId], reason });
      if (now !== undefined) return now;
      const { outcome: before } = await ownRun(runId, by);
      if (before === "released" || before === "cancelled") return before;
      throw runNotActive(runId);
    },
  };
}

/** The settings of a queue; the usual ones if it is gone. */
async function settingsOf({ database }: Pick<JobContext, "database">, queue: string) {
  const row = await database.run((db) =>
    db.selectFrom("vconductor.queue").select("attributes").where("name", "=", queue).executeTakeFirst(),
  );
  return queueSettings(row?.attributes ?? {});
}

type Beat = Parameters<RemoteJobs["heartbeat"]>[0];

interface BeatRow {
  readonly lease_until: Date;
  readonly cancel: boolean;
  readonly drain: boolean;
  readonly tenant: string;
}

/** Undefined: it is not the worker's, or has ended. */
async function beat(
  db: Executor,
  { runId, by, leaseMs, progress, message }: Beat,
): Promise<BeatRow | undefined> {
  const { rows } = await sql<BeatRow>`
    update vconductor.run r set heartbeat_at = now(),
      lease_until = coalesce(now() + coalesce(${leaseMs ?? null}::float8, lease_ms) * interval '1 ms', lease_until),
      progress = coalesce(${percentOf(progress)}::smallint, progress), message = coalesce(${message ?? null}, message)
    where id = ${runId} and finished_at is null and ${mine(by)}
    returning lease_until, cancel_requested_at is not null as cancel, tenant, exists (
      select from vconductor.remote_worker w
      where w.tenant = ${by.viewer.tenant} and w.face = ${by.kind} and w.id = r.worker and w.disabled
    ) as drain`.execute(db);
  return rows[0];
}

type Claim = Parameters<RemoteJobs["claim"]>[0];

/**
 * One statement: it picks jobs, gives each to the next worker that still wants one, and makes it a run. The claims have the
 * same queue, kind and tenant.
 * @returns the rows of each claim
 */
async function claim(db: Executor, claims: readonly Claim[]): Promise<readonly (readonly ClaimRow[])[]> {
  const [first] = claims;
  if (first === undefined) return [];
  const { queue, kind, viewer, server } = first;
  const slots = slotsOf(claims);
  const { rows } = await sql<ClaimRow & { readonly n: number }>`
    with wanted as (
      select n, worker, lease, row_number() over (order by place) as slot
      from unnest(${slots.map(({ n }) => n)}::integer[], ${slots.map(({ worker }) => worker)}::text[],
        ${slots.map(({ lease }) => lease)}::float8[]) with ordinality as g (n, worker, lease, place)
      where not exists (select from vconductor.remote_worker w
        where w.tenant = ${viewer.tenant} and w.face = ${kind} and w.id = g.worker and w.disabled)
    ), picked as (
      select * from vconductor.job
      where queue = ${queue} and state = 'waiting' and ${own(viewer)}
        and exists (select from vconductor.queue q where q.name = ${queue} and q.kind = ${kind} and not q.paused)
      order by priority desc, position
      limit (select count(*) from wanted) for update skip locked
    ), given as (
      select picked.*, wanted.n, wanted.worker, wanted.lease
      from (select *, row_number() over (order by priority desc, position) as slot from picked) picked
      join wanted using (slot)
    ), started as (
      insert into vconductor.run
        (kind, queue, job_id, job, vcon_uuids, attempt, worker, server, lease_until, lease_ms, tenant, principal)
      select ${kind}, queue, id,
        jsonb_strip_nulls(jsonb_build_object('job_type', job_type, 'vcon_uuid', vcon_uuids,
          'queue', from_queue, 'failed_job_id', origin_run::text, 'payload', payload)),
        vcon_uuids, attempts + 1, worker, ${server},
        coalesce(now() + lease * interval '1 ms', 'infinity'::timestamptz), lease, tenant, principal
      from given order by slot
      returning id, job_id, attempt, lease_until
    ), taken as (
      -- Joined, so that many cost no more each than few; the array has the planner use the index, as it cannot know how many.
      update vconductor.job j set state = 'running', attempts = j.attempts + 1,
        last_run = started.id
      from started where j.id = started.job_id and j.id = any (array(select job_id from started))
    )
    select given.n, started.id as run_id, given.id as job_id, queue, job_type, vcon_uuids, payload, attempt, lease_until,
      created_at, tenant
    from started join given on given.id = started.job_id order by started.id`.execute(db);
  return claims.map((_, n) => rows.filter((row) => row.n === n));
}

/** Who gets the first job, the second and so on: each claim one, then each a second one. */
function slotsOf(claims: readonly Claim[]) {
  const slots = claims.flatMap(({ worker, limit, leaseMs = null }, n) =>
    Array.from({ length: limit }, (_, place) => ({ n, worker, lease: leaseMs, place })),
  );
  return slots.toSorted((a, b) => a.place - b.place || a.n - b.n);
}

function mine({ kind, viewer, queues }: WorksFor): RawBuilder<boolean> {
  const named = queues === undefined ? sql`true` : sql`queue = any (${[...queues]}::text[])`;
  return sql<boolean>`kind = ${kind} and ${own(viewer)} and ${named}`;
}

/** Which of the runs are in the hands of those who want to end them. */
async function allowedRuns(tx: Transaction, group: readonly Completion[]): Promise<ReadonlySet<number>> {
  const given = group.map(({ runId, by }) => ({
    id: runId,
    kind: by.kind,
    tenant: by.viewer.all ? null : by.viewer.tenant,
    queues: by.queues ?? null,
  }));
  const { rows } = await sql<{ id: number }>`
    select r.id from vconductor.run r
    join jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as g (id bigint, kind text, tenant text, queues text[])
      on g.id = r.id
    where r.kind = g.kind and (g.tenant is null or r.tenant = g.tenant)
      and (g.queues is null or r.queue = any (g.queues))`.execute(tx);
  return new Set(rows.map((row) => row.id));
}

function toRemoteJob(row: ClaimRow): RemoteJob {
  return { ...handed(row), leaseUntil: row.lease_until, queuedAt: row.created_at };
}
