import { type Kysely, sql } from "kysely";

/** Requests of the service gateway. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // Whose jobs it last asked for.
  `alter table vconductor.remote_worker add column queue text`,
  `create index remote_worker_queue on vconductor.remote_worker (queue)`,
  // What somebody asked of a service: its job says how it stands. \`callback\` is called when that has ended. Of one that a worker of
  // Celery does: the task that it is; when that was sent to the broker, when something was first and last heard of it, what a
  // worker said last, when it ended, and how, if nobody held the job's run then; since when nobody waits for it, and when workers
  // are told so next.
  `create table vconductor.gateway_request (
     id uuid primary key,
     tenant text not null,
     service text not null,
     job_id bigint not null,
     task_id uuid not null default gen_random_uuid(),
     created_at timestamptz not null default now(),
     cancelled_at timestamptz,
     sent_at timestamptz,
     started_at timestamptz,
     heard_at timestamptz,
     reported jsonb,
     ended_at timestamptz,
     answer jsonb,
     unwanted_at timestamptz,
     revoke_after timestamptz,
     callback text,
     callback_tries integer not null default 0,
     callback_after timestamptz not null default now(),
     callback_done boolean not null default true
   )`,
  `create index gateway_request_job on vconductor.gateway_request (job_id)`,
  `create unique index gateway_request_task on vconductor.gateway_request (task_id)`,
  `create index gateway_request_heard on vconductor.gateway_request (heard_at) where heard_at is not null`,
  `create index gateway_request_revoke on vconductor.gateway_request (revoke_after) where revoke_after is not null`,
  `create index gateway_request_callback on vconductor.gateway_request (callback_after) where not callback_done`,
  // Tells all the servers of this database from others that use the same broker.
  `create table vconductor.installation (id uuid primary key default gen_random_uuid())`,
  `insert into vconductor.installation default values`,
  // What is remembered of how many workers a service needs, and what was said last.
  `create table vconductor.gateway_scaling (
     service text primary key,
     state jsonb not null,
     needs jsonb not null,
     assessed_at timestamptz not null default now()
   )`,
  `create index gateway_request_service on vconductor.gateway_request (service, created_at)`,
  // Signs addresses that a file may be uploaded to: 244 random bits, the same for all servers.
  `alter table vconductor.installation
     add column upload_key text not null default gen_random_uuid()::text || gen_random_uuid()::text`,
];
