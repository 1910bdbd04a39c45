import { type TSchema, Type } from "typebox";
import { tenantPattern } from "../access/principal.ts";
import type { Config } from "../config.ts";
import { PipelineOptions } from "../pipelines/definition.ts";
import type { App } from "./app.ts";

const any = Type.Any();
const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
const time = Type.String({ description: "RFC 3339, UTC" });
const looseObject = (description: string) => Type.Object({}, { description, additionalProperties: true });

const Uuid = Type.String({ description: "An opaque string" });

const usage = {
  calls: Type.Integer(),
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
  audio_seconds: Type.Number(),
  cost: Type.Number({ description: "US dollars, of the calls whose price is known" }),
  unpriced_calls: Type.Integer(),
};

/** The named schemas of the API. */
const shared = {
  Problem: Type.Object(
    {
      detail: Type.Unknown({ description: "What is wrong: a text, or a list of findings" }),
      code: Type.String({ description: "One of the codes in docs/errors.md" }),
      exception_class: Type.Optional(Type.String({ description: "The reference server's name for it" })),
      request_id: Type.Optional(Type.String()),
    },
    { description: "What went wrong" },
  ),
  ValidationProblem: Type.Object(
    {
      detail: Type.Union([
        Type.Array(
          Type.Object({
            type: Type.String(),
            loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
            msg: Type.String(),
            input: Type.Optional(Type.Unknown()),
          }),
        ),
        Type.String(),
      ]),
      code: Type.String(),
      exception_class: Type.Optional(Type.String()),
    },
    { description: "The request is not valid: what, and where" },
  ),
  UnsignedVcon: Type.Object(
    {
      vcon: Type.Optional(Type.String({ description: "0.0.1 to 0.4.0" })),
      uuid: Uuid,
      created_at: Type.Optional(Type.Union([Type.String(), Type.Number()])),
      subject: Type.Optional(nullable(Type.String())),
      parties: Type.Optional(nullable(Type.Array(looseObject("A party")))),
      dialog: Type.Optional(nullable(Type.Array(looseObject("A dialog")))),
      analysis: Type.Optional(nullable(Type.Array(looseObject("An analysis")))),
      attachments: Type.Optional(nullable(Type.Array(looseObject("An attachment")))),
    },
    { description: "An unsigned vCon, of version 0.0.1 to 0.4.0", additionalProperties: true },
  ),
  SignedVcon: Type.Object(
    { payload: Type.String(), signatures: Type.Array(looseObject("A signature")) },
    { description: "A signed vCon: JWS, general JSON serialization", additionalProperties: true },
  ),
  EncryptedVcon: Type.Object(
    { ciphertext: Type.String(), recipients: Type.Array(looseObject("A recipient")) },
    { description: "An encrypted vCon: JWE, general JSON serialization", additionalProperties: true },
  ),
  PipelineOptions,
  PipelineDefinition: Type.Object({
    pipeline_options: Type.Ref("PipelineOptions"),
    processors: Type.Array(
      Type.Object({
        processor_name: Type.String({ minLength: 1 }),
        processor_options: looseObject("The processor's options, and the common ones"),
      }),
      { maxItems: 1000 },
    ),
  }),
  QueueJob: Type.Object(
    {
      id: Type.Integer({ description: "The job's number" }),
      job_type: Type.String(),
      vcon_uuid: Type.Array(Uuid),
      queue: Type.Optional(Type.String({ description: "The queue that it came from" })),
      failed_job_id: Type.Optional(
        Type.String({ description: "The run that queued it (success and failure queues)" }),
      ),
      priority: Type.Optional(Type.Integer()),
      run_after: Type.Optional(time),
      payload: Type.Optional(any),
      state: Type.Optional(Type.String({ description: "suspended: it waits for a remote worker" })),
      failure: Type.Optional(looseObject("Why the run that queued it failed")),
    },
    { description: "A job that waits in a queue" },
  ),
  Token: Type.Object({
    id: Type.String(),
    name: Type.String(),
    tenant: Type.String(),
    scopes: Type.Array(Type.String()),
    groups: Type.Array(Type.String()),
    queues: nullable(Type.Array(Type.String())),
    ingest: nullable(
      Type.Object({
        per_minute: Type.Integer(),
        hmac_secret: nullable(Type.String({ description: "Its name" })),
      }),
    ),
    created_at: time,
    created_by: Type.String({ description: "The id of a principal" }),
    expires_at: nullable(time),
    revoked_at: nullable(time),
    last_used_at: nullable(Type.String({ description: "Right to the minute" })),
    last_used_from: nullable(Type.String()),
  }),
  AuditRecord: Type.Object({
    id: Type.Integer(),
    at: time,
    principal: Type.String({ description: "The id of a principal; unknown: it was refused" }),
    principal_name: Type.String(),
    via: Type.String(),
    tenant: Type.String(),
    action: Type.String({ description: "The id of an operation, or run.read or run.write" }),
    vcon: nullable(Type.String()),
    target: nullable(Type.String()),
    address: nullable(Type.String()),
    request: nullable(Type.String()),
    run: nullable(Type.Integer()),
    status: nullable(Type.Integer()),
    detail: any,
    position: nullable(Type.Integer({ description: "In the chain, from 1; null for a second or so" })),
    hash: nullable(Type.String()),
  }),
  FailedJob: Type.Object({
    id: Type.Integer(),
    run_id: Type.Integer({ description: "Its last run" }),
    job_type: Type.String(),
    vcon_uuid: Type.Array(Uuid),
    attempts: Type.Integer(),
    error: any,
    queued_at: time,
  }),
  InProgressJob: Type.Object({
    id: Type.String({ description: "The run's number" }),
    queue: Type.String(),
    server: Type.String(),
    dequeued: Type.Number({ description: "Seconds since 1970" }),
    job: looseObject("The job as it was queued"),
  }),
  Run: Type.Object(
    {
      id: Type.Integer(),
      queue: Type.String(),
      job_id: Type.Integer(),
      job: looseObject("The job as it was queued"),
      vcon_uuid: Type.Array(Uuid),
      attempt: Type.Integer(),
      worker: Type.String(),
      server: Type.String(),
      claimed_at: time,
      heartbeat_at: time,
      lease_until: time,
      progress: Type.Integer({ minimum: 0, maximum: 100 }),
      message: nullable(Type.String()),
      cancel_requested_at: nullable(time),
      finished_at: nullable(time),
      duration: nullable(Type.Number({ description: "Seconds" })),
      outcome: nullable(
        Type.String({
          description: "done, failed, retry, crashed, released, requeued, suspended or cancelled",
        }),
      ),
      error: any,
      result: any,
      tenant: Type.String(),
      principal: Type.Union([Type.Object({ id: Type.String(), name: Type.String() }), Type.Null()], {
        description: "Who queued the job; null: nobody in particular",
      }),
      usage: Type.Object(usage, { description: "What it used of paid services" }),
    },
    { description: "One attempt at a job by one worker" },
  ),
  RemoteJob: Type.Object(
    {
      run_id: Type.Integer({ description: "Names it in everything that follows" }),
      job_id: Type.Integer(),
      queue: Type.String(),
      job_type: Type.String(),
      vcon_uuid: Type.Array(Uuid),
      attempt: Type.Integer({ description: "1 for the first; crashes and hand-backs do not count" }),
      lease_until: time,
      queued_at: time,
      payload: any,
    },
    { description: "A job in the hands of a remote worker" },
  ),
  RemoteWorker: Type.Object(
    {
      id: Type.String(),
      disabled: Type.Boolean(),
      info: any,
      first_seen: time,
      last_seen: nullable(Type.String({ description: "RFC 3339, UTC; right to some seconds" })),
      tenant: Type.String(),
      runs: Type.Array(
        Type.Object({
          run_id: Type.Integer(),
          queue: Type.String(),
          progress: Type.Integer(),
          message: nullable(Type.String()),
          claimed_at: time,
          heartbeat_at: time,
          lease_until: time,
        }),
        { description: "What it has in hand" },
      ),
    },
    { description: "A worker that is not ours" },
  ),
  UsageGroup: Type.Object(
    {
      day: Type.String({ description: "YYYY-MM-DD, in UTC" }),
      queue: nullable(Type.String()),
      provider: Type.String(),
      model: Type.String(),
      ...usage,
    },
    { description: "What a day's calls of one queue to one model used" },
  ),
  ServerState: Type.Object(
    {
      py_vcon_server: Type.String(),
      vcon: Type.String(),
      vconductor: Type.String(),
      host: nullable(Type.String()),
      port: nullable(Type.Integer()),
      pid: Type.Integer(),
      start_time: Type.Number(),
      num_workers: Type.Integer(),
      state: Type.String({ description: "starting_up, running, shutting_down or dead" }),
      last_heartbeat: Type.Number(),
      settings: looseObject("The settings that STATE_SETTINGS names"),
    },
    { description: "A server" },
  ),
  ProcessorOutput: Type.Object(
    {
      vcons: Type.Array(looseObject("A vCon in any form")),
      vcons_modified: Type.Array(Type.Boolean()),
      parameters: looseObject("Parameters by name"),
      queue_jobs: Type.Array(looseObject("A job that was queued")),
    },
    { description: "VconProcessorOutput of the reference" },
  ),
  VconListing: Type.Object({
    uuid: Uuid,
    form: Type.String(),
    subject: nullable(Type.String()),
    parties: Type.Array(Type.String(), { description: "tel:…, mailto:… and name:…" }),
    revision: Type.Integer(),
    created_at: time,
    stored_at: time,
    updated_at: time,
    size: Type.Integer({ description: "Bytes" }),
  }),
};

export function addSharedSchemas(app: App): void {
  for (const [name, schema] of Object.entries(shared)) app.addSchema({ ...schema, $id: name });
}

/** A reference to a named schema. */
export function ref(name: string): TSchema {
  return Type.Unsafe<unknown>({ $ref: `${name}#` });
}

/** A body that the handler checks itself; the schema is there for the documentation. */
export function documented(schema: TSchema): TSchema {
  return Type.Unsafe<unknown>({ ...schema, "x-checked-by-handler": true });
}

export const AnyVcon = Type.Unsafe<unknown>({
  anyOf: [{ $ref: "UnsignedVcon#" }, { $ref: "SignedVcon#" }, { $ref: "EncryptedVcon#" }],
});

/** Queues and pipelines may be called anything that fits in a path. */
export const Name = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: "^[^/\\u0000-\\u001f\\u007f-\\u009f]+$",
  description: "1 to 200 characters without / and control characters",
});
export const VconUuid = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description: "The vCon's uuid: an opaque string",
});
/** Negative ones are legal: no run has them. */
export const RunId = Type.Integer({ minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 });
export const limitOf = (most: number, usual: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: usual, description: "Most entries in the answer" });

const problems: Readonly<Record<number, string>> = {
  400: "The request cannot be understood",
  401: "The caller has not said who it is, or its credential is not good",
  402: "The pipeline's budget for paid calls is spent",
  403: "The caller may not do this",
  404: "There is no such thing",
  409: "It conflicts with what is there",
  412: "The condition does not hold",
  413: "The body is too large",
  416: "The range is outside of the content",
  422: "The request is not valid",
  429: "Too many requests; try again after Retry-After seconds",
  430: "The pipeline ran out of time",
  500: "Internal error",
  502: "A provider failed",
  503: "The database is away, or the server is stopping; try again after Retry-After seconds",
};

/**
 * The answers of a route: those of its success, the problems named, and those that any route can answer with.
 * What depends on the method alone (413, and the conflict of a repeated request) is added in `openapi.ts`.
 */
export function answers(
  success: Readonly<Record<number, TSchema>>,
  ...statuses: readonly number[]
): Record<number, TSchema> {
  const all: Record<number, TSchema> = { ...success };
  for (const status of [400, 422, 500, 503, ...statuses]) all[status] = problem(status);
  return all;
}

const retryAfter = { "Retry-After": "Seconds after which to try again" };

/** The answer with a problem of this status. */
export function problem(status: number): TSchema {
  const schema = Type.Unsafe<unknown>({
    ...ref(status === 422 ? "ValidationProblem" : "Problem"),
    description: problems[status] ?? "A problem",
  });
  return status === 503 || status === 429 ? withHeaders(schema, retryAfter) : schema;
}

/** An answer with headers, each with its description. */
export function withHeaders(schema: TSchema, headers: Readonly<Record<string, string>>): TSchema {
  return Type.Unsafe<unknown>({ ...schema, headers: headerSchemas(headers) });
}

export function headerSchemas(headers: Readonly<Record<string, string>>): Readonly<Record<string, TSchema>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, Type.String({ description })]),
  );
}

/** An answer that is not JSON. */
export function textBody(mediaType: string, description: string): TSchema {
  return Type.Unsafe<string>({ description, content: { [mediaType]: { schema: { type: "string" } } } });
}

/** An answer of bytes, of whatever type. */
export function binaryBody(description: string): TSchema {
  return Type.Unsafe<unknown>({
    description,
    content: { "*/*": { schema: { type: "string", format: "binary" } } },
  });
}

/** An answer whose body is the JSON text `null`. */
export function nullBody(description: string): TSchema {
  return Type.Unsafe<null>({ description, content: { "application/json": { schema: { type: "null" } } } });
}

/** The name of a tenant. */
export const TenantName = Type.String({ pattern: tenantPattern });

export const NoContent = Type.Null({ description: "Done" });

/** How a vCon may be labelled on its way in. */
export const vconTypes = ["application/json", "application/vcon", "application/vcon+json"];

const smallBodyBytes = 1024 * 1024;

/** The limit for bodies that hold no vCon: more could only be a mistake, and would be costly to check. */
export function smallBody({ maxBodyBytes }: Pick<Config, "maxBodyBytes">): number {
  return Math.min(maxBodyBytes, smallBodyBytes);
}
