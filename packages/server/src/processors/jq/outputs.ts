import type { JsonValue } from "@vconductor/vcon";

/** A number of three exponent digits or more may be too large for JSON.parse, which then gives Infinity. */
const hugeNumber = /\d[eE]\+?\d{3}/;

/** jq's compact output, one JSON value a line. */
export function parseOutputs(stdout: string): JsonValue[] {
  if (stdout === "") return [];
  return stdout.split("\n").map(parseOutput);
}

function parseOutput(line: string): JsonValue {
  return hugeNumber.test(line) ? JSON.parse(line, finite) : JSON.parse(line);
}

/** What jq itself does with numbers beyond the largest one. */
function finite(_key: string, value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  if (value === Number.NEGATIVE_INFINITY) return -Number.MAX_VALUE;
  return value;
}
