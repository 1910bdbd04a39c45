import { VconError } from "../document/errors.ts";
import type { JsonValue, Vcon } from "../document/types.ts";
import type { NewVconOptions } from "./amend.ts";
import { type RedactSelection, redact } from "./redact.ts";

export interface JqRedactOptions extends NewVconOptions {
  /** What kind of information is removed. */
  readonly type: string;
  /** jq program over the vCon; its first result is the redacted vCon. */
  readonly query: string;
  /** What is removed before the program sees the vCon. */
  readonly select?: RedactSelection;
  /** Runs jq: the host has it, perhaps in a sandbox. */
  readonly jq: (program: string, input: JsonValue) => Promise<readonly JsonValue[]>;
}

/**
 * As `redact`, with the change made by a jq program.
 *
 * @throws VconError invalid_query the program gives nothing, no vCon, or one in which entries are missing
 */
export function redactWithJq(vcon: Vcon, { query, jq, ...options }: JqRedactOptions): Promise<Vcon> {
  return redact(vcon, {
    ...options,
    transform: async (given) => {
      const [first] = await jq(query, given);
      if (first === undefined) throw new VconError("invalid_query", "The jq program gives no result.");
      return first;
    },
  });
}
