import { VconductorError } from "../errors.ts";

/** A place in a list, as an opaque text. */
export function toCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws invalid_request for a text that `toCursor` did not make */
export function fromCursor(
  cursor: string | undefined,
  length: number,
): readonly (string | number)[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(place) && place.length === length && place.every(isPlain)) return place;
  } catch {
    // Not JSON: refused below.
  }
  throw new VconductorError("invalid_request", "cursor should be the `next` of an earlier answer");
}

/** @throws invalid_request when the cursor's part is not a whole number */
export function numberIn(place: readonly (string | number)[] | undefined, index: number): number | undefined {
  const value = place?.[index];
  if (value === undefined || Number.isSafeInteger(value))
    return value === undefined ? undefined : Number(value);
  throw new VconductorError("invalid_request", "cursor should be the `next` of an earlier answer");
}

function isPlain(value: unknown): value is string | number {
  return (typeof value === "string" && !value.includes("\u0000")) || typeof value === "number";
}
