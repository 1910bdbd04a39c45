import { VconError, type VconErrorCode } from "../document/errors.ts";

/** What the command's exit status means; in `vcon --help` and the README too. */
export const exitCodes = [
  [0, "all went well"],
  [1, "the vCon or a file cannot be used; vcon validate found errors"],
  [2, "the command line is wrong: option, argument or filter"],
  [3, "a signature, chain of certificates or content hash is not good"],
  [4, "it does not decrypt"],
  [5, "a server or address does not answer, or refuses"],
  [7, "the file of a meeting is not what it should be"],
] as const;

const byCode: Partial<Record<VconErrorCode, number>> = {
  invalid_option: 2,
  invalid_key: 2,
  invalid_query: 2,
  invalid_signature: 3,
  untrusted_certificate: 3,
  expired_certificate: 3,
  hash_mismatch: 3,
  decryption_failed: 4,
  fetch_failed: 5,
};

/** An end of the command that is no VconError: one line for the user, and a status. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof VconError ? (byCode[error.code] ?? 1) : 1;
}

/** One line that the user can act on. Files say what is wrong with them in their own words. */
export function errorLine(error: unknown): string {
  if (error instanceof CommandError || error instanceof VconError) return error.message;
  if (error instanceof Error && "code" in error && "path" in error && typeof error.path === "string") {
    return `${error.path}: ${reasons.get(String(error.code)) ?? error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

const reasons = new Map([
  ["ENOENT", "there is no such file"],
  ["EACCES", "you may not read or write it"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "it is not a directory"],
  ["EEXIST", "it is there already"],
  ["ENOSPC", "the disk is full"],
]);
