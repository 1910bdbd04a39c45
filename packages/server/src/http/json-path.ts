import { createContext, Script } from "node:vm";
import { type JSONValue, jsonpath } from "json-p3";
import { VconductorError } from "../errors.ts";

const longestMs = 1000;
const script = new Script("run()");

/**
 * The values that a JSONPath (RFC 9535) selects, as `show` puts them into text. Its filters may contain regular
 * expressions, which can take for ever, and a short path may select the whole document thousands of times: the
 * time limit of `vm` ends both, and making the text is within it.
 * @throws invalid_query
 */
export function selectByPath(
  path: string,
  options: { readonly document: JSONValue; readonly show: (values: readonly unknown[]) => unknown },
): string {
  const run = () => JSON.stringify(options.show(jsonpath.query(path, options.document).values()));
  try {
    return script.runInContext(createContext({ run }), { timeout: longestMs });
  } catch (error) {
    if (error instanceof VconductorError) throw error;
    const why = isTimeout(error)
      ? `it takes longer than ${longestMs} ms`
      : error instanceof RangeError
        ? "it is too deep, or selects too much"
        : error instanceof Error
          ? error.message
          : "it cannot be used";
    throw new VconductorError("invalid_query", `JSONPath: ${why}`, { cause: error });
  }
}

/** The error is one of the script's own realm, so it is no `Error` of ours. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}
