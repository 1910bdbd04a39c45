import { VconductorError } from "../errors.ts";

type Path = readonly (string | number)[];

/**
 * Definitions are kept as jsonb, which has no NUL character and no half of a surrogate pair.
 * @throws invalid_request naming where such a text is, in a value or in the name of a member
 */
export function requireStorable(value: unknown, loc: Path): void {
  const found = unstorable(value, loc);
  if (found === undefined) return;
  const msg = "Input should not have NUL characters or broken Unicode";
  throw new VconductorError("invalid_request", msg, {
    detail: [{ type: "string_unicode", loc: found, msg, input: null }],
  });
}

function unstorable(value: unknown, path: Path): Path | undefined {
  if (typeof value === "string") return isStorable(value) ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, entry] of Object.entries(value)) {
    if (!isStorable(key)) return path;
    const found = unstorable(entry, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isStorable(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}
