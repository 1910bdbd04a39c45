import { type Kysely, sql } from "kysely";

/** Jobs and module data in the form of the Sisyphus API. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // A job that is queued or running has a job of the engine, whose unique key is its id. \`document\` is the JSON that workers
  // get, as it was posted; \`info\` what its worker said of it in the end (a large one is in the media store).
  `create table vconductor.sisyphus_job (
     id text primary key,
     tenant text not null,
     document text not null,
     run_id bigint,
     state text not null default 'queued' check (state in ('queued', 'completed', 'failed')),
     info jsonb,
     added_at timestamptz not null default now(),
     finished_at timestamptz
   )`,
  `create index sisyphus_job_finished on vconductor.sisyphus_job (tenant, finished_at desc, id) where state <> 'queued'`,
  `create table vconductor.module_data (
     tenant text not null,
     module text not null,
     name text not null,
     value text not null,
     updated_at timestamptz not null default now(),
     primary key (tenant, module, name)
   )`,
];
