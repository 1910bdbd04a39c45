import { VconError } from "../document/errors.ts";

/** The text of a file: UTF-8, or UTF-16 when it begins with that mark. The mark itself is left out. */
export function textOf(body: Uint8Array | string): string {
  if (typeof body === "string") return body.replace(/^\uFEFF/, "");
  const [first, second] = body;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(body);
}

/** The file's name without folders, whichever system they come from. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** @param what for example "The Zoom folder has neither a recording nor a chat." */
export function invalidImport(what: string, cause?: unknown): VconError {
  return new VconError("invalid_import", what, cause === undefined ? {} : { cause });
}
