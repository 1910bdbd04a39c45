import { type Kysely, sql } from "kysely";

/** Who may do what: tenants, access lists, tokens, and the audit trail. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

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
  `create function vconductor.run_of_job() returns trigger language plpgsql as $$
   begin
     select j.tenant, j.principal into new.tenant, new.principal from vconductor.job j where j.id = new.job_id;
     return new;
   end $$`,
  `create trigger run_of_job before insert on vconductor.run for each row execute function vconductor.run_of_job()`,

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
