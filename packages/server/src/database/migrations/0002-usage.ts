import { type Kysely, sql } from "kysely";

/** What runs used of paid services, and the answers of paid calls that a retry must not make again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // `run_id` is null for what was run at once, without a job; `cost` (US dollars) where no price is known.
  // No foreign keys: what was paid stays on record when the run is purged.
  `create table vconductor.usage (
     id bigint generated always as identity primary key,
     at timestamptz not null default now(),
     queue text,
     run_id bigint,
     processor text not null,
     provider text not null,
     model text not null,
     input_tokens bigint not null default 0,
     output_tokens bigint not null default 0,
     audio_seconds double precision not null default 0,
     cost double precision
   )`,
  `create index usage_run on vconductor.usage (run_id) where run_id is not null`,
  `create index usage_queue on vconductor.usage (queue, at)`,
  `create index usage_at on vconductor.usage (at)`,
  `create table vconductor.paid_answer (
     job_id bigint not null references vconductor.job on delete cascade,
     key text not null,
     answer text not null,
     primary key (job_id, key)
   )`,
];
