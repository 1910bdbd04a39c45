import { type Kysely, sql } from "kysely";

/** Work from outside: remote workers, and pipelines that wait for one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // Whose run it is: only its own kind of worker may heartbeat it and end it.
  `alter table vconductor.run add column kind text not null default 'pipeline'`,
  // A suspended job waits for another one to end: the remote job of one of its steps.
  `alter table vconductor.job drop constraint job_state_check`,
  `alter table vconductor.job
     add constraint job_state_check check (state in ('waiting', 'scheduled', 'running', 'failed', 'suspended')),
     add column waits_for bigint`,
  `create index job_suspended on vconductor.job (waits_for) where state = 'suspended'`,
  // Which remote job a step of a pipeline job has asked for; the key tells the step and what it asked.
  `create table vconductor.service_call (
     job_id bigint not null references vconductor.job on delete cascade,
     key text not null,
     remote_job bigint not null,
     primary key (job_id, key)
   )`,
  // Whoever asked for work by that name. `face`: by which API. What it last told of itself is in status.
  `create table vconductor.remote_worker (
     tenant text not null,
     face text not null,
     id text not null,
     disabled boolean not null default false,
     status jsonb,
     first_seen timestamptz not null default now(),
     last_seen timestamptz,
     primary key (tenant, face, id)
   )`,
];
