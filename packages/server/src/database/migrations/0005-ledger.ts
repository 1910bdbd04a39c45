import { type Kysely, sql } from "kysely";

/** The once-only ledger: tasks of pipelines (in npg_porch's sense), and who may work on them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  `create table vconductor.porch_pipeline (
     id bigint generated always as identity primary key,
     name text not null unique,
     uri text not null,
     version text not null,
     created_at timestamptz not null default now()
   )`,
  // Without a pipeline: an administrator's. The text of a token is nowhere, only its SHA-256.
  `create table vconductor.porch_token (
     id bigint generated always as identity primary key,
     hash bytea not null unique,
     description text not null,
     pipeline_id bigint references vconductor.porch_pipeline,
     issued_at timestamptz not null default now(),
     revoked_at timestamptz
   )`,
  // A PENDING task has a job that waits, with its id as payload and its position; a claimed one has a run. \`input\` is the
  // JSON as it was given, \`input_id\` the SHA-256 of its canonical form. \`claim\` is the last run, for as long as nobody took
  // the task from whoever had it, \`claimed_by\` that one's token, and \`lease_ms\` its lease, if it has one.
  `create table vconductor.task (
     id bigint generated always as identity primary key,
     pipeline_id bigint not null references vconductor.porch_pipeline,
     input_id bytea not null,
     input text not null,
     state text not null default 'PENDING'
       check (state in ('PENDING', 'CLAIMED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
     position bigint not null default nextval('vconductor.job_position'),
     run_id bigint,
     claim bigint,
     claimed_by bigint,
     lease_ms bigint,
     progress smallint,
     message text,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now(),
     unique (pipeline_id, input_id)
   ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)`,
  `create index task_open on vconductor.task (pipeline_id, state, id) where state <> 'DONE'`,
  // Lists of a pipeline, and views by the last change.
  `create index task_pipeline on vconductor.task (pipeline_id, id)`,
  `create index task_changed on vconductor.task (updated_at desc, id desc)`,
  `create index task_pipeline_changed on vconductor.task (pipeline_id, updated_at desc, id desc)`,
  `create index task_run on vconductor.task (run_id) where run_id is not null`,
  // \`imported_id\`: its number in the npg_porch that it was copied from.
  `create table vconductor.task_event (
     id bigint generated always as identity primary key,
     task_id bigint not null references vconductor.task on delete cascade,
     at timestamptz not null default now(),
     change text not null,
     message text,
     token_id bigint,
     imported_id bigint
   )`,
  `create index task_event_task on vconductor.task_event (task_id)`,
  // However the run of a task ends by itself (its lease ran out, an operator took it off), its task follows in the same
  // transaction. What the ledger ends itself has no run any more when its run ends.
  `create function vconductor.task_follows_run() returns trigger language plpgsql as $$
   declare
     v_state text := case new.outcome when 'failed' then 'FAILED' when 'cancelled' then 'CANCELLED' when 'done' then 'DONE'
       else 'PENDING' end;
     v_task bigint;
   begin
     update vconductor.task set state = v_state, run_id = null, claim = null, lease_ms = null, updated_at = now(),
       progress = case when v_state <> 'PENDING' then progress end,
       message = case when v_state <> 'PENDING' then message end
     where run_id = new.id returning id into v_task;
     if v_task is not null then
       insert into vconductor.task_event (task_id, change, message)
       values (v_task, 'Task changed, new status ' || v_state, new.error ->> 'message');
     end if;
     return null;
   end $$`,
  `create trigger task_follows_run after update of finished_at on vconductor.run
   for each row when (new.kind = 'task' and old.finished_at is null and new.finished_at is not null)
   execute function vconductor.task_follows_run()`,
];
