import type { ColumnType, Generated } from "kysely";
import type { IngestRules, Principal } from "../access/principal.ts";

/** The tables of schema `vconductor`. `bigint` columns are read as numbers: all of them stay below 2^53. */
export interface Tables {
  "vconductor.vcon": VconTable;
  "vconductor.vcon_text": { uuid: string; search: string };
  "vconductor.vcon_text_pending": { uuid: string };
  "vconductor.pipeline": {
    name: string;
    definition: ColumnType<unknown, string, string>;
    revision: Generated<number>;
    updated_at: Generated<Date>;
    tenant: Generated<string>;
  };
  "vconductor.queue": {
    name: string;
    kind: Generated<string>;
    paused: Generated<boolean>;
    attributes: ColumnType<Readonly<Record<string, unknown>>, string | undefined, string>;
    created_at: Generated<Date>;
    tenant: Generated<string>;
  };
  "vconductor.job": JobTable;
  "vconductor.job_checkpoint": { job_id: number; step: number; fingerprint: string; io: string };
  "vconductor.paid_answer": { job_id: number; key: string; answer: string };
  "vconductor.service_call": { job_id: number; key: string; remote_job: number; give_up_at: Date | null };
  "vconductor.kept_value": KeptValueTable;
  "vconductor.remote_worker": RemoteWorkerTable;
  "vconductor.run": RunTable;
  "vconductor.porch_pipeline": {
    id: Generated<number>;
    name: string;
    uri: string;
    version: string;
    created_at: Generated<Date>;
  };
  "vconductor.porch_token": {
    id: Generated<number>;
    hash: Buffer;
    description: string;
    pipeline_id: number | null;
    issued_at: Generated<Date>;
    revoked_at: Date | null;
  };
  /** One row. */
  "vconductor.installation": {
    id: Generated<string>;
    upload_key: Generated<string>;
  };
  "vconductor.gateway_request": {
    id: string;
    tenant: string;
    service: string;
    job_id: number;
    task_id: string;
    created_at: Generated<Date>;
    cancelled_at: Date | null;
    sent_at: Generated<Date | null>;
    started_at: Generated<Date | null>;
    heard_at: Generated<Date | null>;
    reported: ColumnType<unknown, string | undefined, string | null>;
    ended_at: Generated<Date | null>;
    answer: ColumnType<unknown, string | undefined, string | null>;
    unwanted_at: Generated<Date | null>;
    revoke_after: Generated<Date | null>;
    callback: string | null;
    callback_tries: Generated<number>;
    callback_after: Generated<Date>;
    callback_done: Generated<boolean>;
  };
  "vconductor.gateway_scaling": {
    service: string;
    state: ColumnType<unknown, string, string>;
    needs: ColumnType<unknown, string, string>;
    assessed_at: Generated<Date>;
  };
  "vconductor.task": TaskTable;
  "vconductor.sisyphus_job": SisyphusJobTable;
  "vconductor.module_data": {
    tenant: string;
    module: string;
    name: string;
    value: string;
    updated_at: Generated<Date>;
  };
  "vconductor.task_event": {
    id: Generated<number>;
    task_id: number;
    at: Generated<Date>;
    change: string;
    message: string | null;
    token_id: number | null;
    imported_id: number | null;
  };
  "vconductor.usage": {
    id: Generated<number>;
    at: Generated<Date>;
    queue: string | null;
    run_id: number | null;
    processor: string;
    provider: string;
    model: string;
    input_tokens: number;
    output_tokens: number;
    audio_seconds: number;
    cost: number | null;
  };
  "vconductor.vcon_grant": { uuid: string; grantee: string; permissions: string[] };
  "vconductor.media_owner": { name: string; tenant: string };
  "vconductor.token": TokenTable;
  "vconductor.audit": AuditTable;
  "vconductor.vcon_lock": { uuid: string; run_id: number };
  "vconductor.applied_job": {
    job_id: number;
    run_id: number;
    follow_up: ColumnType<unknown, string, string>;
    applied_at: Generated<Date>;
  };
  "vconductor.server": {
    key: string;
    address: string;
    state: ColumnType<unknown, string, string>;
    last_heartbeat: Generated<Date>;
  };
  "vconductor.server_queue": {
    address: string;
    queue: string;
    weight: number | null;
    configured_weight: number | null;
    position: Generated<number>;
  };
  "vconductor.idempotent_request": {
    key: string;
    fingerprint: string;
    status: number | null;
    headers: ColumnType<unknown, string | null, string | null>;
    body: string | null;
    created_at: Generated<Date>;
  };
}

export interface VconTable {
  uuid: string;
  form: string;
  body: string;
  revision: Generated<number>;
  generation: Generated<number>;
  subject: string | null;
  parties: string[];
  created_at: Date;
  stored_at: Generated<Date>;
  updated_at: Generated<Date>;
  tenant: Generated<string>;
  restricted: Generated<boolean>;
}

export interface JobTable {
  id: Generated<number>;
  queue: string;
  state: Generated<string>;
  priority: Generated<number>;
  position: Generated<number>;
  job_type: Generated<string>;
  vcon_uuids: string[];
  from_queue: string | null;
  origin_run: number | null;
  payload: ColumnType<unknown, string | null, string | null>;
  unique_key: string | null;
  attempts: Generated<number>;
  crashes: Generated<number>;
  run_after: Date | null;
  last_run: number | null;
  error: ColumnType<unknown, string | null, string | null>;
  created_at: Generated<Date>;
  tenant: Generated<string>;
  principal: ColumnType<Principal | null, string | null, string | null>;
  waits_for: number | null;
}

export interface KeptValueTable {
  name: string;
  /** Bytes. */
  size: number;
  kept_at: Generated<Date>;
}

export interface RemoteWorkerTable {
  tenant: string;
  face: string;
  id: string;
  disabled: Generated<boolean>;
  status: ColumnType<unknown, string | null, string | null>;
  queue: string | null;
  first_seen: Generated<Date>;
  last_seen: Date | null;
  asked_at: Date | null;
  asked_from: string | null;
}

export interface TaskTable {
  id: Generated<number>;
  pipeline_id: number;
  input_id: Buffer;
  input: string;
  state: Generated<string>;
  position: Generated<number>;
  run_id: number | null;
  claim: number | null;
  claimed_by: number | null;
  lease_ms: number | null;
  progress: number | null;
  message: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface SisyphusJobTable {
  id: string;
  tenant: string;
  document: string;
  run_id: number | null;
  worker: string | null;
  state: Generated<string>;
  info: ColumnType<unknown, string | null, string | null>;
  added_at: Generated<Date>;
  finished_at: Date | null;
}

export interface RunTable {
  id: Generated<number>;
  kind: Generated<string>;
  queue: string;
  job_id: number;
  job: ColumnType<unknown, string, string>;
  vcon_uuids: string[];
  attempt: number;
  worker: string;
  server: string;
  claimed_at: Generated<Date>;
  heartbeat_at: Generated<Date>;
  lease_until: Date;
  lease_ms: number | null;
  progress: Generated<number>;
  message: string | null;
  cancel_requested_at: Date | null;
  overdue_at: Date | null;
  finished_at: Date | null;
  outcome: string | null;
  error: ColumnType<unknown, string | null, string | null>;
  result: ColumnType<unknown, string | null, string | null>;
  tenant: Generated<string>;
  principal: ColumnType<Principal | null, string | null, string | null>;
}

export interface TokenTable {
  id: string;
  kind: Generated<string>;
  name: string;
  secret_hash: Buffer;
  tenant: Generated<string>;
  scopes: string[];
  groups: string[];
  queues: string[] | null;
  ingest: ColumnType<IngestRules | null, string | null, string | null>;
  created_at: Generated<Date>;
  created_by: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  last_used_from: string | null;
}

export interface AuditTable {
  id: Generated<number>;
  at: Generated<Date>;
  principal: string;
  principal_name: string;
  via: string;
  tenant: string;
  action: string;
  vcon: string | null;
  target: string | null;
  address: string | null;
  request: string | null;
  run: number | null;
  status: number | null;
  detail: ColumnType<unknown, string | null, string | null>;
  position: number | null;
  hash: string | null;
}
