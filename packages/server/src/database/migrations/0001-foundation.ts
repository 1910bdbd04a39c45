import { type Kysely, sql } from "kysely";

/**
 * The first schema. Every database that one of the four database settings names gets all of it, so that
 * each can be moved to a database of its own later without a change of schema.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements: readonly string[] = [
  // --- vCons. `body` is the JSON text exactly as given; the other columns are an index derived from it.
  // `generation` tells a vCon from one stored under the same uuid after a delete: revisions alone would not.
  `create table vconductor.vcon (
     uuid text primary key check (length(uuid) between 1 and 255),
     form text not null check (form in ('unsigned', 'signed', 'encrypted')),
     body text not null,
     revision bigint not null default 1,
     generation bigint generated always as identity,
     subject text,
     parties text[] not null default '{}',
     created_at timestamptz not null,
     stored_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  // Bodies are read whole and often: kept out of line and uncompressed, they cost the least time.
  `alter table vconductor.vcon alter column body set storage external`,
  `create index vcon_newest on vconductor.vcon (created_at desc, uuid desc)`,
  `create index vcon_parties on vconductor.vcon using gin (parties)`,
  `create table vconductor.vcon_text (
     uuid text primary key references vconductor.vcon on delete cascade,
     search tsvector not null
   )`,
  // Which vCons were written since their text was indexed. A table of its own, so that indexing one later does not
  // write the vCon's row, and all its indexes, a second time.
  `create table vconductor.vcon_text_pending (
     uuid text primary key
   ) with (autovacuum_vacuum_scale_factor = 0.05)`,
  `create index vcon_text_search on vconductor.vcon_text using gin (search)`,

  // --- Pipelines
  // `json`, not `jsonb`: the order of members counts (jq_queries run in the order in which they are given).
  `create table vconductor.pipeline (
     name text primary key,
     definition json not null,
     revision bigint not null default 1,
     updated_at timestamptz not null default now()
   )`,

  // --- Queues, jobs, runs. A job lives from its enqueue to its end; what remains is its runs.
  `create table vconductor.queue (
     name text primary key,
     kind text not null default 'pipeline',
     paused boolean not null default false,
     attributes jsonb not null default '{}',
     created_at timestamptz not null default now()
   )`,
  `create sequence vconductor.job_position`,
  `create table vconductor.job (
     id bigint generated always as identity primary key,
     queue text not null,
     state text not null default 'waiting' check (state in ('waiting', 'scheduled', 'running', 'failed')),
     priority integer not null default 0,
     position bigint not null default nextval('vconductor.job_position'),
     job_type text not null default 'vcon_uuid',
     vcon_uuids text[] not null default '{}',
     from_queue text,
     origin_run bigint,
     payload jsonb,
     unique_key text,
     attempts integer not null default 0,
     crashes integer not null default 0,
     run_after timestamptz,
     last_run bigint,
     error jsonb,
     created_at timestamptz not null default now()
   ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1)`,
  `create index job_waiting on vconductor.job (queue, priority desc, position) where state = 'waiting'`,
  `create index job_scheduled on vconductor.job (run_after) where state = 'scheduled'`,
  `create index job_failed on vconductor.job (queue, last_run) where state = 'failed'`,
  `create unique index job_unique on vconductor.job (queue, unique_key)
     where unique_key is not null and state <> 'failed'`,
  `create table vconductor.job_checkpoint (
     job_id bigint not null references vconductor.job on delete cascade,
     step integer not null,
     fingerprint text not null,
     io text not null,
     primary key (job_id, step)
   )`,
  `create table vconductor.run (
     id bigint generated always as identity primary key,
     queue text not null,
     job_id bigint not null,
     job jsonb not null,
     vcon_uuids text[] not null,
     attempt integer not null,
     worker text not null,
     server text not null,
     claimed_at timestamptz not null default now(),
     heartbeat_at timestamptz not null default now(),
     lease_until timestamptz not null,
     progress smallint not null default 0,
     message text,
     cancel_requested_at timestamptz,
     overdue_at timestamptz,
     finished_at timestamptz,
     outcome text,
     error jsonb,
     result jsonb
   ) with (fillfactor = 70)`,
  `create index run_active on vconductor.run (id) where finished_at is null`,
  `create index run_queue on vconductor.run (queue, id)`,
  `create index run_job on vconductor.run (job_id)`,
  `create index run_vcons on vconductor.run using gin (vcon_uuids)`,
  // A lock lives as long as the run that holds it: whatever ends the run deletes its locks.
  `create table vconductor.vcon_lock (
     uuid text primary key,
     run_id bigint not null
   ) with (autovacuum_vacuum_scale_factor = 0.05)`,
  `create index vcon_lock_run on vconductor.vcon_lock (run_id)`,
  // Only where vCons and queues are in different databases: which jobs' vCon changes are already written.
  `create table vconductor.applied_job (
     job_id bigint primary key,
     run_id bigint not null,
     follow_up jsonb not null,
     applied_at timestamptz not null default now()
   )`,

  // --- Servers
  `create table vconductor.server (
     key text primary key,
     address text not null,
     state jsonb not null,
     last_heartbeat timestamptz not null default now()
   )`,
  `create table vconductor.server_queue (
     address text not null,
     queue text not null,
     weight integer,
     configured_weight integer,
     position bigint generated always as identity,
     primary key (address, queue)
   )`,

  // --- Requests that carried an Idempotency-Key
  `create table vconductor.idempotent_request (
     key text primary key,
     fingerprint text not null,
     status integer,
     headers jsonb,
     body text,
     created_at timestamptz not null default now()
   )`,
  `create index idempotent_request_age on vconductor.idempotent_request (created_at)`,

  claimFunction(),
];

/**
 * One round trip claims up to `p_limit` jobs across the weighted queues.
 *
 * `p_queues`, `p_counts`: one cycle of tending, from the caller's cursor on: take up to `counts[i]` jobs from
 * `queues[i]`, go on to the next, start over until the limit is reached or a whole cycle finds nothing.
 * `p_join_pipelines`: pipelines are in this database, so a queue without one is passed over and only pipelines
 * that save lock their vCons; otherwise every job locks its vCons.
 *
 * A job whose vCons are locked is passed over and keeps its place. The advisory lock keeps two claims that run
 * at the same moment from waiting for (or deadlocking with) each other over the same vCon.
 */
function claimFunction(): string {
  return `
create function vconductor.claim(
  p_queues text[], p_counts integer[], p_limit integer, p_kind text, p_join_pipelines boolean,
  p_worker text, p_server text, p_lease_ms integer
) returns table (
  step integer, run_id bigint, job_id bigint, queue text, job_type text, vcon_uuids text[], from_queue text,
  origin_run bigint, payload jsonb, attempt integer, crashes integer, pipeline_revision bigint
) language plpgsql as $$
#variable_conflict use_column
declare
  v_claimed integer := 0;
  v_found boolean;
  v_want integer;
  v_passes integer;
  v_seen integer;
  v_got integer;
  v_saves boolean;
  v_revision bigint;
  v_run bigint;
  v_locks integer;
  v_uuids text[];
  j record;
begin
  loop
    v_found := false;
    for i in 1 .. coalesce(array_length(p_queues, 1), 0) loop
      exit when v_claimed >= p_limit;
      perform 1 from vconductor.queue q where q.name = p_queues[i] and not q.paused and q.kind = p_kind;
      continue when not found;
      v_saves := true;
      v_revision := null;
      if p_join_pipelines then
        select coalesce((p.definition -> 'pipeline_options' ->> 'save_vcons')::boolean, true), p.revision
          into v_saves, v_revision from vconductor.pipeline p where p.name = p_queues[i];
        continue when not found;
      end if;
      v_want := least(p_counts[i], p_limit - v_claimed);
      v_passes := 0;
      while v_want > 0 and v_passes < 3 loop
        v_passes := v_passes + 1;
        v_seen := 0;
        v_got := 0;
        for j in
          select b.* from vconductor.job b
          where b.queue = p_queues[i] and b.state = 'waiting'
            and not (v_saves and exists (select 1 from vconductor.vcon_lock l where l.uuid = any (b.vcon_uuids)))
          order by b.priority desc, b.position
          limit v_want for update skip locked
        loop
          v_seen := v_seen + 1;
          v_uuids := '{}';
          if v_saves and cardinality(j.vcon_uuids) > 0 then
            select array_agg(distinct u order by u) into v_uuids from unnest(j.vcon_uuids) u;
            continue when not (select bool_and(pg_try_advisory_xact_lock(hashtextextended(u, 7))) from unnest(v_uuids) u);
            perform 1 from vconductor.vcon_lock l where l.uuid = any (v_uuids);
            continue when found;
          end if;
          insert into vconductor.run (queue, job_id, job, vcon_uuids, attempt, worker, server, lease_until)
          values (
            j.queue, j.id,
            jsonb_strip_nulls(jsonb_build_object('job_type', j.job_type, 'vcon_uuid', j.vcon_uuids,
              'queue', j.from_queue, 'failed_job_id', j.origin_run::text, 'payload', j.payload)),
            j.vcon_uuids, j.attempts + 1, p_worker, p_server, now() + p_lease_ms * interval '1 ms'
          ) returning id into v_run;
          if cardinality(v_uuids) > 0 then
            insert into vconductor.vcon_lock (uuid, run_id) select u, v_run from unnest(v_uuids) u;
          end if;
          update vconductor.job b set state = 'running', attempts = b.attempts + 1, last_run = v_run where b.id = j.id;
          v_got := v_got + 1;
          v_claimed := v_claimed + 1;
          step := i; run_id := v_run; job_id := j.id; queue := j.queue; job_type := j.job_type;
          vcon_uuids := j.vcon_uuids; from_queue := j.from_queue; origin_run := j.origin_run; payload := j.payload;
          attempt := j.attempts + 1; crashes := j.crashes; pipeline_revision := v_revision;
          return next;
        end loop;
        v_want := v_want - v_got;
        if v_got > 0 then v_found := true; end if;
        exit when v_got = 0 or v_seen = v_got;
      end loop;
    end loop;
    exit when v_claimed >= p_limit or not v_found;
  end loop;
end $$`;
}
