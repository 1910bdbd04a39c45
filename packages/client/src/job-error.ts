/** What the server takes as a code. */
const codes = /^[a-z][a-z0-9_]{0,99}$/;

/** Thrown by a handler to say more about a failure than a message. */
export class JobError extends Error {
  override readonly name = "JobError";
  /** For programs: lower case letters, digits and `_`, a letter first, at most 100. */
  readonly code: string;
  /** Whether trying again could help. */
  readonly retryable: boolean;

  /**
   * @param options.code Default: worker_failed
   * @param options.retryable Default: true; how often and when is set on the queue
   * @throws TypeError the code is none
   */
  constructor(
    message: string,
    options: { readonly code?: string; readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "worker_failed";
    this.retryable = options.retryable ?? true;
    if (!codes.test(this.code)) {
      throw new TypeError(
        `the code ${JSON.stringify(this.code)} of a JobError is not up to 100 of a-z, 0-9 and _ with a letter first (its message: ${message})`,
      );
    }
  }
}
