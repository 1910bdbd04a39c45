import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { copyJson, isJsonArray, isJsonObject, isRecord } from "./json.ts";

const trueWords = new Set(["true", "t", "yes", "y", "on", "1"]);
const falseWords = new Set(["false", "f", "no", "n", "off", "0"]);
const integerPattern = /^\s*[+-]?\d+(?:\.0*)?\s*$/;
const numberPattern = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/**
 * A copy of options without those that are null although they have a default. `should_process` is not
 * among them: a condition that came out as null must not silently mean yes.
 */
export function takeDefaults(schema: unknown, raw: JsonObject): JsonObject {
  const properties = isRecord(schema) ? schema.properties : undefined;
  const taken: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(raw)) {
    const property = isRecord(properties) ? properties[name] : undefined;
    const hasDefault = isRecord(property) && "default" in property && name !== "should_process";
    if (value === null && hasDefault) continue;
    if (value !== undefined && name !== "__proto__") taken[name] = copyJson(value);
  }
  return taken;
}

/**
 * Turns text into the number or boolean that the schema wants (all that `format_options` makes is text), and
 * 0 and 1 into booleans. What cannot be turned stays, for validation to name it. Changes `value` within.
 *
 * Not Ajv's own coercion: that also takes null for false, numbers for text, and knows only "true"/"false".
 */
export function coerceOptions(schema: unknown, value: JsonValue): JsonValue {
  if (!isRecord(schema)) return value;
  if (Array.isArray(schema.anyOf)) return coerceUnion(schema.anyOf, value);
  if (isJsonArray(value)) {
    return value.map((item) => coerceOptions(schema.items, item));
  }
  if (isJsonObject(value)) {
    const { properties } = schema;
    if (!isRecord(properties)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        item === undefined || !Object.hasOwn(properties, name) ? item : coerceOptions(properties[name], item),
      ]),
    );
  }
  return coerceScalar(schema.type, value);
}

function coerceUnion(branches: readonly unknown[], value: JsonValue): JsonValue {
  const fitting = branches.find((branch) => isRecord(branch) && isOfType(branch.type, value));
  if (fitting !== undefined) return coerceOptions(fitting, value);
  for (const branch of branches) {
    const coerced = coerceOptions(branch, value);
    if (coerced !== value) return coerced;
  }
  return value;
}

function coerceScalar(type: unknown, value: JsonValue): JsonValue {
  if (type === "boolean") {
    if (value === 0 || value === 1) return value === 1;
    const word = typeof value === "string" ? value.trim().toLowerCase() : "";
    return trueWords.has(word) ? true : falseWords.has(word) ? false : value;
  }
  if (typeof value !== "string") return value;
  if (type === "integer" && integerPattern.test(value)) return Number(value);
  if (type === "number" && numberPattern.test(value)) return Number(value);
  return value;
}

function isOfType(type: unknown, value: JsonValue): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "object":
      return isJsonObject(value);
    default:
      return typeof value === type;
  }
}
