import type { JsonValue } from "../document/types.ts";
import { CommandError } from "./exit-codes.ts";
import type { GlobalOptions } from "./input-output.ts";

/* What stands on the command line beside options. */

/** JSON of the command line. @param what names it in the error */
export function parseArgument(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(
      `${what}: ${JSON.stringify(text)} is not JSON. Mind the quotes: '{"name":"Ann"}'.`,
      2,
    );
  }
}

/** A number of an entry of a list, on the command line. */
export function index(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CommandError(`${JSON.stringify(text)} is no number of an entry; the first is 0.`, 2);
}

/** A file may be named as operand too. */
export function withFile<Options extends GlobalOptions>(options: Options, file: string | undefined): Options {
  if (file === undefined) return options;
  if (options.infile !== undefined) throw new CommandError("Give the file once: as operand, or with -i.", 2);
  return { ...options, infile: file };
}
