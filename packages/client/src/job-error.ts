/** Thrown by a handler to say more about a failure than a message. */
export class JobError extends Error {
  override readonly name = "JobError";
  /** For programs: lower case letters, digits and `_`, a letter first. */
  readonly code: string;
  /** Whether trying again could help. */
  readonly retryable: boolean;

  /**
   * @param options.code Default: worker_failed
   * @param options.retryable Default: true; how often and when is set on the queue
   */
  constructor(
    message: string,
    options: { readonly code?: string; readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? "worker_failed";
    this.retryable = options.retryable ?? true;
  }
}
