import type { JsonValue } from "@vconductor/vcon";
import { isJsonArray } from "./processors/json.ts";

/**
 * JSON in its canonical form (JCS, RFC 8785): members sorted, no blanks, numbers as ECMAScript writes them. Equal values
 * have equal texts.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.keys(value)
    // By UTF-16 units, as the comparison of strings has it.
    .toSorted((a, b) => (a < b ? -1 : 1))
    .flatMap((name) => {
      const member = value[name];
      return member === undefined ? [] : [`${JSON.stringify(name)}:${canonicalJson(member)}`];
    });
  return `{${members.join(",")}}`;
}
