import { VconError } from "../document/errors.ts";
import { parseJson } from "../document/json.ts";
import { exceedsDepth } from "../document/json-text.ts";
import type { JsonValue } from "../document/types.ts";

/** The text of a file: UTF-8, or UTF-16 when it begins with that mark. The mark itself is left out. */
export function textOf(body: Uint8Array | string): string {
  if (typeof body === "string") return body.replace(/^\uFEFF/, "");
  const [first, second] = body;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(body);
}

/** What is imported becomes part of a vCon, and those nested deeper than 64 are not read. */
const MAX_DEPTH = 56;

/**
 * The value of a JSON text, or undefined when it is not one.
 *
 * @throws VconError invalid_import it is nested too deep to be part of a vCon
 */
export function jsonIn(text: string): JsonValue | undefined {
  if (exceedsDepth(text, MAX_DEPTH)) {
    throw invalidImport(`The JSON is nested too deep: more than ${MAX_DEPTH} levels.`);
  }
  return parseJson(text);
}

/** The file's name without folders, whichever system they come from. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** @param what for example "The Zoom folder has neither a recording nor a chat." */
export function invalidImport(what: string, cause?: unknown): VconError {
  return new VconError("invalid_import", what, cause === undefined ? {} : { cause });
}
