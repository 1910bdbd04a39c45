import { sql } from "kysely";
import type { Transaction } from "../database/database.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { jobOf, queueOf } from "./ledger-options.ts";
import type { SourceEvent } from "./npg-porch-source.ts";

/** A task to be copied. */
interface Given {
  /** Its number at the source. */
  readonly source: number;
  /** Of its pipeline. */
  readonly name: string;
  readonly pipeline_id: number;
  readonly input_id: string;
  readonly input: string;
  readonly state: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** The number of the last thing that happened to it. */
  readonly last_event: number | null;
}

interface Copied {
  readonly id: number;
  readonly source: number;
  readonly name: string;
  readonly position: number;
  /** As it is at the source. */
  readonly state: string;
  /** As it was here. */
  readonly before: string;
  readonly updated_at: string;
  /** Something happened to it there since it was copied. */
  readonly moved: boolean;
}

/** Copies tasks, oldest first, and what happened to them. */
export async function copyTasks(
  tx: Transaction,
  options: {
    readonly jobs: JobQueue;
    readonly tasks: readonly Given[];
    readonly history: readonly SourceEvent[];
    /** Ours, by their numbers at the source. */
    readonly tokens: ReadonlyMap<number, number>;
  },
) {
  const { jobs, history, tokens } = options;
  const given = JSON.stringify(options.tasks.map((task, n) => ({ n, ...task })));
  const columns = sql`g (n integer, source bigint, name text, pipeline_id bigint, input_id text, input text, state text,
    created_at timestamptz, updated_at timestamptz, last_event bigint)`;
  // Their places are those of their ages; they are inserted in the order in which registrations are, which so do not wait
  // for this one while it waits for them.
  const { rows: added } = await sql<Copied>`
    with given as (
      select *, nextval('vconductor.job_position') as position
      from (select * from jsonb_to_recordset(${given}::jsonb) as ${columns} order by n) g
    ), t as (
      insert into vconductor.task (pipeline_id, input_id, input, state, position, created_at, updated_at)
      select pipeline_id, decode(input_id, 'hex'), input, state, position, created_at, updated_at from given
      order by (pipeline_id || ' ' || input_id) collate "C"
      on conflict (pipeline_id, input_id) do nothing
      returning *
    )
    select t.id, given.source, given.name, t.state, t.state as before, t.position, t.updated_at, false as moved
    from t join given on given.position = t.position order by t.position`.execute(tx);
  await jobs.enqueueIn(tx, added.filter(({ state }) => state === "PENDING").map(jobOf));

  const { rows: changed } = await sql<Copied>`
    select t.id, g.source, g.name, g.state, t.state as before, t.position, g.updated_at, g.last_event > coalesce(
      (select max(e.imported_id) from vconductor.task_event e where e.task_id = t.id), 0) as moved
    from jsonb_to_recordset(${given}::jsonb) as ${columns}
    join vconductor.task t on t.pipeline_id = g.pipeline_id and t.input_id = decode(g.input_id, 'hex')
    where t.state <> g.state order by t.id`.execute(tx);
  const untouched = await lockUntouched(tx, changed);
  const updated = changed.filter(({ id }) => untouched.has(id));
  await takeOver(tx, jobs, updated);

  const ids = new Map([...added, ...updated].map(({ source, id }) => [source, id]));
  const happened = history.map(({ event_id, task_id, time, change, token_id }) => ({
    task_id: ids.get(task_id),
    at: time,
    change,
    token_id: tokens.get(token_id ?? -1),
    imported_id: event_id,
  }));
  const { rows: events } = await sql`
    insert into vconductor.task_event (task_id, at, change, token_id, imported_id)
    select g.* from jsonb_to_recordset(${JSON.stringify(happened)}::jsonb)
      as g (task_id bigint, at timestamptz, change text, token_id bigint, imported_id bigint)
    where task_id is not null and not exists (
      select from vconductor.task_event e where e.task_id = g.task_id and e.imported_id = g.imported_id)
    order by g.imported_id
    returning id`.execute(tx);
  return {
    tasks: added.length,
    events: events.length,
    updated: updated.length,
    left: changed
      .filter(({ id, moved }) => moved && !untouched.has(id))
      .map(({ source, state, before }) => `task ${source}: it is ${state} there, and ${before} here`),
  };
}

/**
 * Those of the tasks to which nothing happened here but being copied, locked, with their jobs that wait. None of them has a
 * run then. Whatever somebody else has locked, something is happening to: nobody is waited for.
 */
async function lockUntouched(tx: Transaction, tasks: readonly Copied[]): Promise<ReadonlySet<number>> {
  if (tasks.length === 0) return new Set();
  const waiting = tasks.filter(({ before }) => before === "PENDING");
  const { rows: jobs } = await sql<{ unique_key: string }>`
    select unique_key from vconductor.job
    where queue = any (${[...new Set(waiting.map(queueOf))]}::text[])
      and unique_key = any (${waiting.map(({ id }) => String(id))}::text[]) and state in ('waiting', 'scheduled')
    for update skip locked`.execute(tx);
  const free = new Set(jobs.map((job) => job.unique_key));
  const wanted = tasks.filter(({ id, before }) => before !== "PENDING" || free.has(String(id)));
  const { rows: locked } = await sql<{ id: number }>`
    select id from vconductor.task where id = any (${wanted.map(({ id }) => id)}::bigint[])
    for update skip locked`.execute(tx);
  const states = new Map(wanted.map(({ id, before }) => [id, before]));
  // A look of its own, as what happened before they were locked is seen only now.
  const { rows } = await sql<{ id: number; state: string }>`
    select id, state from vconductor.task t where id = any (${locked.map(({ id }) => id)}::bigint[]) and not exists (
      select from vconductor.task_event e where e.task_id = t.id and e.imported_id is null)`.execute(tx);
  return new Set(rows.filter(({ id, state }) => states.get(id) === state).map(({ id }) => id));
}

/** Sets the states of tasks that are locked to what they are at the source. */
async function takeOver(tx: Transaction, jobs: JobQueue, tasks: readonly Copied[]): Promise<void> {
  if (tasks.length === 0) return;
  await sql`update vconductor.task t set state = g.state, updated_at = g.updated_at
    from jsonb_to_recordset(${JSON.stringify(tasks)}::jsonb) as g (id bigint, state text, updated_at timestamptz)
    where t.id = g.id`.execute(tx);
  const waited = tasks.filter(({ before }) => before === "PENDING");
  await sql`delete from vconductor.job where queue = any (${[...new Set(waited.map(queueOf))]}::text[])
    and unique_key = any (${waited.map(({ id }) => String(id))}::text[]) and state in ('waiting', 'scheduled')`.execute(
    tx,
  );
  await jobs.enqueueIn(tx, tasks.filter(({ state }) => state === "PENDING").map(jobOf));
}
