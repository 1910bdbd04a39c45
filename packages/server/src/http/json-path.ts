import { createContext, Script } from "node:vm";
import { type JSONValue, jsonpath } from "json-p3";
import { VconductorError } from "../errors.ts";

const longestMs = 1000;
const script = new Script("run()");

/**
 * The values that a JSONPath (RFC 9535) selects. Its filters may contain regular expressions, which can take
 * for ever: the time limit of `vm` ends those too.
 * @throws invalid_query
 */
export function selectByPath(path: string, document: JSONValue): readonly unknown[] {
  const run = () => jsonpath.query(path, document).values();
  try {
    return script.runInContext(createContext({ run }), { timeout: longestMs });
  } catch (error) {
    const timedOut =
      error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    const why = timedOut
      ? `it takes longer than ${longestMs} ms`
      : error instanceof Error
        ? error.message
        : "";
    throw new VconductorError("invalid_query", `JSONPath: ${why}`, { cause: error });
  }
}
