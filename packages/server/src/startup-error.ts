/**
 * Why the server could not start, for the operator's eyes: what is wrong, and what to do about it. It never
 * reaches an HTTP caller, so it has no code of `errors.ts`.
 */
export class StartupError extends Error {
  override readonly name = "StartupError";
  readonly remedy: string;

  /**
   * @param message what is wrong, one or more sentences
   * @param remedy what the operator can do, one or more sentences
   */
  constructor(message: string, remedy: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = remedy;
  }
}
