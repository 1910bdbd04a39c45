import { isArray, isObject, member } from "./json.ts";
import type { JsonObject } from "./types.ts";

/* Changes to JSON objects that never touch the object given, and give it back when nothing changes. */

/** Renames a member in its place. Leaves an object alone that has the new name already. */
export function renameMember(object: JsonObject, from: string, to: string): JsonObject {
  if (!Object.hasOwn(object, from) || Object.hasOwn(object, to)) return object;
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name === from ? to : name, value]),
  );
}

export function withoutMember(object: JsonObject, name: string): JsonObject {
  if (!Object.hasOwn(object, name)) return object;
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
}

/** Changes each object in a list member; other entries stay, and so do documents without such a list. */
export function mapEntries(
  object: JsonObject,
  name: string,
  change: (entry: JsonObject, index: number) => JsonObject,
): JsonObject {
  const list = member(object, name);
  if (!isArray(list)) return object;
  const next = list.map((entry, index) => (isObject(entry) ? change(entry, index) : entry));
  return next.some((entry, index) => entry !== list[index]) ? { ...object, [name]: next } : object;
}
