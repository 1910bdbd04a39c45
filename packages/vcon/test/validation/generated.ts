import fc from "fast-check";
import type { JsonValue } from "../../src/document/types.ts";
import { encryptedGood, good, signedGood } from "./documents.ts";

/* Documents for property tests. */

const names = [...namesIn([good, signedGood, encryptedGood]), "group", "mimetype", "alg", "__proto__"];

const scalar = fc.constantFrom<JsonValue[]>(
  null,
  true,
  0,
  -1,
  1.5,
  7,
  1e300,
  "",
  "x",
  "recording",
  "text",
  "json",
  "none",
  "2026-04-21T09:30:00Z",
  "https://example.com/",
  "\ud800",
);

/** Any JSON under the names of the format: mostly nonsense. */
export const nonsense = fc.letrec<{ value: JsonValue; object: Record<string, JsonValue> }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, tie("object"), fc.array(tie("value"), { maxLength: 3 })),
  object: fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 6 }),
}));

/** Good documents with one to three members or entries taken out or replaced: mostly sense. */
export const damaged: fc.Arbitrary<JsonValue> = fc
  .constantFrom(good, signedGood, encryptedGood)
  .chain((whole) =>
    fc
      .array(
        fc.record(
          {
            at: fc.constantFrom(...pathsIn(copy(whole))),
            replacement: fc.oneof(scalar, nonsense.value),
          },
          { requiredKeys: ["at"] },
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((edits) =>
        edits.reduce((document, { at, replacement }) => edit(document, at, replacement), copy(whole)),
      ),
  );

type Path = readonly (string | number)[];

function copy(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

function entriesOf(value: JsonValue): readonly (readonly [string | number, JsonValue])[] {
  if (Array.isArray(value)) return [...value.entries()];
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function namesIn(values: readonly unknown[]): Set<string> {
  const found = pathsIn(copy(values)).flat();
  return new Set(found.filter((step) => typeof step === "string"));
}

function pathsIn(value: JsonValue): readonly Path[] {
  return entriesOf(value).flatMap(([step, inner]) => [
    [step],
    ...pathsIn(inner).map((rest) => [step, ...rest]),
  ]);
}

/** Without a replacement it is taken out; a path that is no longer there changes nothing. */
function edit(value: JsonValue, [step, ...rest]: Path, replacement: JsonValue | undefined): JsonValue {
  if (step === undefined || !entriesOf(value).some(([name]) => name === step)) return value;
  const entries = entriesOf(value).flatMap(([name, inner]) => {
    if (name !== step) return [[name, inner] as const];
    if (rest.length > 0) return [[name, edit(inner, rest, replacement)] as const];
    return replacement === undefined ? [] : [[name, replacement] as const];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}
