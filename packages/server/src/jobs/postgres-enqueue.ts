import { sql } from "kysely";
import { DEFAULT_TENANT, viewerOf } from "../access/principal.ts";
import { Batch } from "../database/batch.ts";
import { afterCommit, type Executor } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { Enqueued, JobQueue, NewJob } from "./job-queue.ts";
import { queueNotFound } from "./postgres-queues.ts";

interface Inserted {
  readonly n: number;
  readonly id: number | null;
}

/** Jobs coming in. Single ones that arrive together share one insert. */
export function enqueueMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<JobQueue, "enqueue" | "enqueueIn"> {
  const lengths = new QueueLengths();
  const batch = new Batch<NewJob, Enqueued | VconductorError>(async (jobs) => {
    const ids = await database.run((db) => insertJobs(db, jobs));
    const added = new Map<string, number>();
    jobs.forEach((job, index) => {
      if (ids[index] !== undefined) added.set(job.queue, (added.get(job.queue) ?? 0) + 1);
    });
    const after = new Map<string, number>();
    for (const [queue, count] of added) {
      after.set(queue, (await lengths.measure({ database, queue, added: count })) - count);
    }
    return jobs.map((job, index) => {
      const jobId = ids[index];
      if (jobId === undefined) return queueNotFound(job.queue);
      const length = (after.get(job.queue) ?? 0) + 1;
      after.set(job.queue, length);
      return { jobId, length: Math.max(length, 1) };
    });
  });

  const announce = (jobs: readonly NewJob[]) => {
    for (const queue of new Set(jobs.map((job) => job.queue))) notifier.send(channels.jobs, queue);
  };

  return {
    async enqueue(job) {
      const answer = await batch.add(job);
      if (answer instanceof VconductorError) throw answer;
      announce([job]);
      const tenant = job.principal?.tenant ?? DEFAULT_TENANT;
      events.publish({ type: "job.queued", queue: job.queue, job: answer.jobId, tenant });
      return answer;
    },

    async enqueueIn(tx, jobs) {
      if (jobs.length === 0) return [];
      const ids = await insertJobs(tx, jobs);
      afterCommit(tx, () => announce(jobs));
      return jobs.map(({ queue }, index) => {
        const id = ids[index];
        if (id === undefined) throw queueNotFound(queue);
        return id;
      });
    },
  };
}

/** Inserts jobs in order. The answer has no id where the queue does not exist. */
export async function insertJobs(db: Executor, jobs: readonly NewJob[]): Promise<(number | undefined)[]> {
  const rows = jobs.map((job, n) => ({
    n,
    queue: job.queue,
    job_type: job.jobType ?? "vcon_uuid",
    vcon_uuids: job.vconUuids,
    from_queue: job.fromQueue ?? null,
    origin_run: job.originRun ?? null,
    payload: job.payload ?? null,
    priority: job.priority ?? 0,
    run_after: job.runAfter?.toISOString() ?? null,
    unique_key: uniqueKeyOf(job) ?? null,
    error: job.error ?? null,
    position: job.position ?? null,
    principal: job.principal?.via === "none" ? null : (job.principal ?? null),
    tenant: job.principal?.tenant ?? DEFAULT_TENANT,
    everywhere: job.principal === undefined || viewerOf(job.principal).all,
  }));
  // The queue rows are locked against a delete until the jobs are in, so that no job lands in a deleted queue. Those of other
  // systems' APIs take no vCons: their jobs have a payload, and for what has none there is no such queue.
  const { rows: inserted } = await sql<Inserted>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g (
        n integer, queue text, job_type text, vcon_uuids text[], from_queue text, origin_run bigint, payload jsonb,
        priority integer, run_after timestamptz, unique_key text, error jsonb, position bigint, principal jsonb,
        tenant text, everywhere boolean)
    ), target as (
      select name, tenant, kind from vconductor.queue where name in (select queue from given) order by name for key share
    ), numbered as (
      select g.*, coalesce(g.given_position, nextval('vconductor.job_position')) as position
      from (
        select given.n, given.queue, job_type, vcon_uuids, from_queue, origin_run, payload, priority, run_after, unique_key,
          error, principal, given.tenant, given.position as given_position from given join target on target.name = given.queue
          and (given.everywhere or target.tenant in (given.tenant, ${DEFAULT_TENANT}))
          and (target.kind in ('pipeline', 'remote') or given.payload is not null)
        order by n
      ) g
    ), inserted as (
      insert into vconductor.job (queue, state, job_type, vcon_uuids, from_queue, origin_run, payload, priority,
        run_after, unique_key, error, position, principal, tenant)
      select queue, case when run_after > now() then 'scheduled' else 'waiting' end, job_type, vcon_uuids,
        from_queue, origin_run, payload, priority, run_after, unique_key, error, position, principal, tenant
      from numbered
      on conflict (queue, unique_key) where unique_key is not null and state <> 'failed' do nothing
      returning id, position
    )
    select numbered.n, coalesce(inserted.id, existing.id) as id
    from numbered
    left join inserted on inserted.position = numbered.position
    left join vconductor.job existing on inserted.id is null and existing.queue = numbered.queue
      and existing.unique_key = numbered.unique_key and existing.state <> 'failed'`.execute(db);
  const ids: (number | undefined)[] = jobs.map(() => undefined);
  for (const row of inserted) ids[row.n] = row.id ?? (await existingJob(db, jobs[row.n]));
  return ids;
}

/** Keys of one tenant are no business of another's. */
function uniqueKeyOf({ uniqueKey, principal }: NewJob): string | undefined {
  if (uniqueKey === undefined || principal === undefined || principal.tenant === DEFAULT_TENANT) {
    return uniqueKey;
  }
  return `${principal.tenant}\n${uniqueKey}`;
}

/** The job that holds a unique key, where it came too late to be seen by the insert that it stopped. */
async function existingJob(db: Executor, job: NewJob | undefined): Promise<number | undefined> {
  const key = job === undefined ? undefined : uniqueKeyOf(job);
  if (job === undefined || key === undefined) return undefined;
  const row = await db
    .selectFrom("vconductor.job")
    .select("id")
    .where("queue", "=", job.queue)
    .where("unique_key", "=", key)
    .where("state", "<>", "failed")
    .executeTakeFirst();
  return row?.id;
}

/** Counting a long queue takes as long as it is: it is counted exactly while short, else once a second. */
class QueueLengths {
  readonly #long = new Map<string, { length: number; at: number }>();

  async measure(options: {
    readonly database: JobContext["database"];
    readonly queue: string;
    readonly added: number;
  }): Promise<number> {
    const known = this.#long.get(options.queue);
    if (known !== undefined && Date.now() - known.at < 1000) {
      known.length += options.added;
      return known.length;
    }
    const { rows } = await options.database.run((db) =>
      sql<{ count: number }>`
        select count(*) as count from vconductor.job where queue = ${options.queue} and state = 'waiting'`.execute(
        db,
      ),
    );
    const length = rows[0]?.count ?? 0;
    if (length > 10_000) this.#long.set(options.queue, { length, at: Date.now() });
    else this.#long.delete(options.queue);
    return length;
  }
}
