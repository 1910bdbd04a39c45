/** The server's answer to a request that failed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  /** One of docs/errors.md, for example `run_not_active`; undefined when the answer was not vConductor's. */
  readonly code: string | undefined;
  readonly detail: unknown;
  /** Seconds to wait before the next try, if the answer says so (`Retry-After`). */
  readonly retryAfter: number | undefined;

  constructor(status: number, body: unknown, what: string, retryAfter?: number) {
    const detail = memberOf(body, "detail");
    const code = memberOf(body, "code");
    super(`${what}: ${status} ${typeof detail === "string" ? detail : JSON.stringify(detail ?? body)}`);
    this.status = status;
    this.code = typeof code === "string" ? code : undefined;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request could succeed later: the server is busy, stopping, or without its database. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** What was to be sent cannot be written as JSON: a BigInt, something that holds itself. Nothing was sent. */
export class UnsendableError extends TypeError {
  override readonly name = "UnsendableError";
}

/** The server has answered that the job is another worker's, or nobody's. */
export function isOver(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "run_not_active" || error.code === "run_not_found");
}

/** The same request would be refused again. */
export function isRefused(error: unknown): boolean {
  return error instanceof UnsendableError || (error instanceof ApiError && !error.isPassing);
}

export function memberOf(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null
    ? Object.getOwnPropertyDescriptor(body, name)?.value
    : undefined;
}
