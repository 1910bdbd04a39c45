import fc from "fast-check";
import type { JsonObject } from "../../src/index.ts";

type Path = readonly (string | number)[];

/** Where the strings of a document are. */
export function strings(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    strings(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

/** A copy of the document with the string at `path` edited. */
export function changed(document: JsonObject, path: Path, edit: (text: string) => string): JsonObject {
  let at = 0;
  const wanted = JSON.stringify(path);
  const paths = strings(document).map((each) => JSON.stringify(each));
  return JSON.parse(JSON.stringify(document), function replace(_name, value: unknown) {
    if (typeof value !== "string") return value;
    const here = paths[at];
    at += 1;
    return here === wanted ? edit(value) : value;
  });
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";

/** Puts one character in the place of another. */
export const change = fc
  .tuple(fc.nat(), fc.constantFrom(...alphabet))
  .map(([position, character]) => (text: string) => {
    const index = position % text.length;
    return text.slice(0, index) + character + text.slice(index + 1);
  });
