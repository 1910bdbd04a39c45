/** Looking into JSON whose shape somebody else decides. */

type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a member; undefined where there is no such member, or no object. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The objects in a member that is a list; none where it is something else. */
export function objectsIn(value: unknown, name: string): readonly JsonObject[] {
  const list = member(value, name);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function textIn(value: unknown, name: string): string | undefined {
  const text = member(value, name);
  return typeof text === "string" ? text : undefined;
}

export function numberIn(value: unknown, name: string): number | undefined {
  const number = member(value, name);
  return typeof number === "number" ? number : undefined;
}
