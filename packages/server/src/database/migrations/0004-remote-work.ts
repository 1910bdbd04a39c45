import { type Kysely, sql } from "kysely";

/** Work from outside: remote workers, and pipelines that wait for one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // Whose run it is: only its own kind of worker may heartbeat it and end it.
  // `lease_ms`: how long its lease was at the claim; null: without end, or a pipeline worker's, who says it each time.
  `alter table vconductor.run
     add column kind text not null default 'pipeline',
     add column lease_ms double precision`,
  // A suspended job waits for another one to end: the remote job of one of its steps.
  `alter table vconductor.job drop constraint job_state_check`,
  `alter table vconductor.job
     add constraint job_state_check check (state in ('waiting', 'scheduled', 'running', 'failed', 'suspended')),
     add column waits_for bigint`,
  `create index job_suspended on vconductor.job (waits_for) where state = 'suspended'`,
  // Which remote job a step of a pipeline job has asked for, and until when it is waited for; the key tells the step and what it
  // asked.
  `create table vconductor.service_call (
     job_id bigint not null references vconductor.job on delete cascade,
     key text not null,
     remote_job bigint not null,
     give_up_at timestamptz,
     primary key (job_id, key)
   )`,
  `create index service_call_give_up on vconductor.service_call (give_up_at) where give_up_at is not null`,
  // However a job ends, in the same transaction those that wait for it go on. One that is locked is being taken off (or
  // housekeeping wakes it): to wait for that could be a deadlock. Their workers are told with the commit; that is rare enough.
  `create function vconductor.wake_for(p_ended bigint[]) returns void language plpgsql as $$
   declare
     v_queue text;
   begin
     for v_queue in
       with suspended as (
         select id from vconductor.job where state = 'suspended' and waits_for = any (p_ended)
         for no key update skip locked
       ), woken as (
         update vconductor.job set state = 'waiting', waits_for = null
         where id = any (array(select id from suspended)) returning queue
       )
       select distinct queue from woken
     loop
       perform pg_notify('vconductor_jobs', json_build_array(v_queue)::text);
     end loop;
   end $$`,
  `create function vconductor.jobs_gone() returns trigger language plpgsql as $$
   begin
     perform vconductor.wake_for(array(select id from gone));
     return null;
   end $$`,
  `create trigger jobs_gone after delete on vconductor.job referencing old table as gone
   for each statement execute function vconductor.jobs_gone()`,
  `create function vconductor.job_failed() returns trigger language plpgsql as $$
   begin
     perform vconductor.wake_for(array[new.id]);
     return null;
   end $$`,
  `create trigger job_failed after update of state on vconductor.job
   for each row when (new.state = 'failed' and old.state <> 'failed') execute function vconductor.job_failed()`,
  // What nobody waits for any more, because the job that asked is gone or has given up, is taken off its queue, or its worker
  // is asked to stop. It may be claimed, or handed back, between the one look and the other.
  `create function vconductor.service_call_gone() returns trigger language plpgsql as $$
   begin
     while exists (select from vconductor.job where id = old.remote_job and state <> 'failed') loop
       delete from vconductor.job where id = old.remote_job and state not in ('running', 'failed');
       exit when found;
       update vconductor.run set cancel_requested_at = coalesce(cancel_requested_at, now())
       where job_id = old.remote_job and finished_at is null;
       exit when found;
     end loop;
     return null;
   end $$`,
  `create trigger service_call_gone after delete on vconductor.service_call
   for each row execute function vconductor.service_call_gone()`,
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
