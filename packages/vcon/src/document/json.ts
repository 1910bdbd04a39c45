import type { JsonObject, JsonValue } from "./types.ts";

/* Careful looks into JSON of unknown shape. All take own members only: `__proto__` may be one, or may not. */

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member's value, or undefined when the object does not have it. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Present and not null. */
export function has(object: JsonObject, name: string): boolean {
  return (member(object, name) ?? null) !== null;
}

export function stringMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name);
  return typeof value === "string" ? value : undefined;
}

export function numberMember(object: JsonObject, name: string): number | undefined {
  const value = member(object, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = member(object, name);
  return isObject(value) ? value : undefined;
}

/** The objects of an array member, by position: anything else in the array reads as an empty object. */
export function objectsMember(object: JsonObject, name: string): readonly JsonObject[] {
  const value = member(object, name);
  return isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [];
}

/** The value of a JSON text, or undefined when it is not one. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Equal as JSON values: the order of members does not matter, a member that is undefined is not there. */
export function equalJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((entry, i) => equalJson(entry, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  let shared = 0;
  for (const name of Object.keys(a)) {
    const value = a[name];
    if (value === undefined) continue;
    if (!Object.hasOwn(b, name) || !equalJson(value, b[name])) return false;
    shared += 1;
  }
  return Object.keys(b).length === shared || definedMembers(b).length === shared;
}

export function definedMembers(object: JsonObject): string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}
