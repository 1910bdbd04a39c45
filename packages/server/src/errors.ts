/**
 * The one error class. `code` is a closed set: each code has an HTTP status and, where the reference
 * server had a class for it, that class's name (existing clients test for it). Anything else that is
 * thrown is a defect: the caller reads "Internal error" and the log has the rest.
 */
const codes = {
  bad_request: [400],
  unauthorized: [401],
  forbidden: [403],
  not_found: [404],
  vcon_not_found: [404, "VconNotFound"],
  queue_not_found: [404, "QueueDoesNotExist"],
  pipeline_not_found: [404, "PipelineNotFound"],
  run_not_found: [404, "JobDoesNotExist"],
  job_not_found: [404, "JobDoesNotExist"],
  server_not_found: [404],
  method_not_allowed: [405],
  conflict: [409],
  run_not_active: [409],
  revision_mismatch: [412],
  too_large: [413],
  range_not_satisfiable: [416],
  invalid_request: [422, "ValidationError"],
  invalid_vcon: [422, "InvalidVconJson"],
  unsupported_vcon_version: [422, "UnsupportedVconVersion"],
  invalid_vcon_state: [422, "InvalidVconState"],
  invalid_signature: [422, "InvalidSignature"],
  invalid_key: [422],
  invalid_job: [422],
  invalid_options: [422, "ValidationError"],
  invalid_query: [422, "ScriptRuntimeError"],
  parameter_not_found: [422, "ParameterNotFound"],
  processor_not_registered: [422, "VconProcessorNotRegistered"],
  queue_exists: [422, "QueueAlreadyExists"],
  idempotency_key_reused: [422],
  rate_limited: [429],
  pipeline_timeout: [430, "PipelineTimeout"],
  run_cancelled: [409, "Cancelled"],
  internal: [500],
  processor_failed: [500],
  fetch_refused: [422],
  provider_failed: [502],
  budget_exceeded: [402],
  issuer_unavailable: [503],
  database_unavailable: [503],
  stopping: [503],
} as const satisfies Record<string, readonly [status: number, exceptionClass?: string]>;

export type ErrorCode = keyof typeof codes;

export interface ErrorOptions {
  /** Structured detail for the caller, for example the list of validation findings (422, list form). */
  readonly detail?: unknown;
  readonly cause?: unknown;
  /** Seconds after which the caller may try again (`Retry-After`). */
  readonly retryAfter?: number;
}

export class VconductorError extends Error {
  override readonly name = "VconductorError";
  readonly code: ErrorCode;
  readonly detail: unknown;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? message;
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return codes[this.code][0];
  }

  get exceptionClass(): string | undefined {
    return codes[this.code][1];
  }
}

export const errorCodes = Object.entries(codes).map(([code, entry]) => ({
  code: code as ErrorCode,
  status: entry[0],
  exceptionClass: (entry as readonly [number, string?])[1],
}));
