import { type Kysely, sql } from "kysely";

/** Jobs and module data in the form of the Sisyphus API. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // A job that is queued or running has a job of the engine, whose unique key is its id. \`document\` is the JSON that workers
  // get, as it was posted; \`info\` what its worker said of it in the end (a large one is in the media store). One that runs
  // has a run, and \`worker\` is whose that is, once it is certain.
  `create table vconductor.sisyphus_job (
     id text primary key,
     tenant text not null,
     document text not null,
     run_id bigint,
     worker text,
     state text not null default 'queued' check (state in ('queued', 'completed', 'failed')),
     info jsonb,
     added_at timestamptz not null default now(),
     finished_at timestamptz
   )`,
  `create index sisyphus_job_queued on vconductor.sisyphus_job (tenant) where state = 'queued'`,
  `create index sisyphus_job_run on vconductor.sisyphus_job (run_id) where run_id is not null`,
  `create index sisyphus_job_worker on vconductor.sisyphus_job (tenant, worker) where run_id is not null`,
  `create index sisyphus_job_finished on vconductor.sisyphus_job (tenant, finished_at desc, id) where state <> 'queued'`,
  // However the run of a job ends by itself (its lease ran out, an operator took it off), the job follows in the same
  // transaction. What is ended through the API of Sisyphus has no run any more when its run ends.
  `create function vconductor.sisyphus_job_follows_run() returns trigger language plpgsql as $$
   declare
     v_state text := case new.outcome when 'done' then 'completed' when 'failed' then 'failed' when 'cancelled' then 'failed'
       else 'queued' end;
   begin
     update vconductor.sisyphus_job set run_id = null, worker = null, state = v_state,
       info = case v_state when 'completed' then new.result
         when 'failed' then jsonb_build_object('message', new.error ->> 'message') end,
       finished_at = case when v_state <> 'queued' then now() end
     where run_id = new.id;
     return null;
   end $$`,
  `create trigger sisyphus_job_follows_run after update of finished_at on vconductor.run
   for each row when (new.kind = 'sisyphus' and old.finished_at is null and new.finished_at is not null)
   execute function vconductor.sisyphus_job_follows_run()`,
  `create table vconductor.module_data (
     tenant text not null,
     module text not null,
     name text not null,
     value text not null,
     updated_at timestamptz not null default now(),
     primary key (tenant, module, name)
   )`,
  // When a worker last asked for its own status, and from which address: it is about to poll. Null once it has.
  `alter table vconductor.remote_worker add column asked_at timestamptz, add column asked_from text`,
  `create index remote_worker_asked on vconductor.remote_worker (tenant, face, asked_from) where asked_at is not null`,
];
