import { type Kysely, sql } from "kysely";

/** Who may do what: tenants, access lists, tokens, and the audit trail. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** As before, with the tenant and the principal of the job. */
const claim = `create function vconductor.claim(
  p_queues text[], p_counts integer[], p_limit integer, p_kind text, p_join_pipelines boolean,
  p_worker text, p_server text, p_lease_ms integer
) returns table (
  step integer, run_id bigint, job_id bigint, queue text, job_type text, vcon_uuids text[], from_queue text,
  origin_run bigint, payload jsonb, attempt integer, crashes integer, pipeline_revision bigint, tenant text,
  principal jsonb
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
          insert into vconductor.run
            (queue, job_id, job, vcon_uuids, attempt, worker, server, lease_until, tenant, principal)
          values (
            j.queue, j.id,
            jsonb_strip_nulls(jsonb_build_object('job_type', j.job_type, 'vcon_uuid', j.vcon_uuids,
              'queue', j.from_queue, 'failed_job_id', j.origin_run::text, 'payload', j.payload)),
            j.vcon_uuids, j.attempts + 1, p_worker, p_server, now() + p_lease_ms * interval '1 ms',
            j.tenant, j.principal
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
          tenant := j.tenant; principal := j.principal;
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

const statements: readonly string[] = [
  // `restricted`: the tenant's own need a grant as well.
  `alter table vconductor.vcon
     add column tenant text not null default 'default',
     add column restricted boolean not null default false`,
  // `grantee` is the id of a principal, or `group:` and a name.
  `create table vconductor.vcon_grant (
     uuid text not null references vconductor.vcon on delete cascade,
     grantee text not null check (length(grantee) between 1 and 500),
     permissions text[] not null check (permissions <@ '{read,write,delete,process}' and cardinality(permissions) > 0),
     primary key (uuid, grantee)
   )`,
  `create index vcon_grant_grantee on vconductor.vcon_grant (grantee)`,
  // Which tenants' pipelines put what into the media store.
  `create table vconductor.media_owner (
     name text not null,
     tenant text not null,
     primary key (name, tenant)
   )`,

  // Who queued it; null: nobody in particular, while there was no access control.
  `alter table vconductor.job
     add column tenant text not null default 'default',
     add column principal jsonb`,
  `alter table vconductor.run
     add column tenant text not null default 'default',
     add column principal jsonb`,
  // Those of the default tenant may be used by all.
  `alter table vconductor.pipeline add column tenant text not null default 'default'`,
  `alter table vconductor.queue add column tenant text not null default 'default'`,
  // A run is its job's tenant's, and acts for whom the job acts.
  `drop function vconductor.claim(text[], integer[], integer, text, boolean, text, text, integer)`,
  claim,

  // `secret_hash` is SHA-256 of 32 random bytes: no salt or slow hash makes that any harder to find.
  `create table vconductor.token (
     id text primary key,
     kind text not null default 'api' check (kind in ('api', 'ingest')),
     name text not null check (length(name) between 1 and 200),
     secret_hash bytea not null,
     tenant text not null default 'default',
     scopes text[] not null default '{}',
     groups text[] not null default '{}',
     queues text[],
     ingest jsonb,
     created_at timestamptz not null default now(),
     created_by text not null,
     expires_at timestamptz,
     revoked_at timestamptz,
     last_used_at timestamptz,
     last_used_from text
   )`,

  // Rows come without a place in the chain, from many transactions at once; one server after the other then chains them.
  `create table vconductor.audit (
     id bigint generated always as identity primary key,
     at timestamptz not null default now(),
     principal text not null,
     principal_name text not null,
     via text not null,
     tenant text not null,
     action text not null,
     vcon text,
     target text,
     address text,
     request text,
     run bigint,
     status integer,
     detail jsonb,
     position bigint unique,
     hash text
   )`,
  `create index audit_unchained on vconductor.audit (id) where position is null`,
  `create index audit_vcon on vconductor.audit (vcon, id) where vcon is not null`,
  `create index audit_principal on vconductor.audit (principal, id)`,
  `create index audit_at on vconductor.audit (at)`,
  `create function vconductor.audit_is_kept() returns trigger language plpgsql as $$
   begin
     if tg_op = 'UPDATE' and old.position is null and new.position is not null
       and to_jsonb(new) - 'position' - 'hash' = to_jsonb(old) - 'position' - 'hash' then
       return new;
     end if;
     raise exception 'the audit trail is only added to';
   end $$`,
  `create trigger audit_is_kept before update or delete on vconductor.audit
     for each row execute function vconductor.audit_is_kept()`,
  `create trigger audit_is_not_emptied before truncate on vconductor.audit
     for each statement execute function vconductor.audit_is_kept()`,
];
