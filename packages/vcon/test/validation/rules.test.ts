import { describe, expect, test } from "vitest";
import { ruleTables } from "../../src/validation/rules.ts";
import { validate } from "../../src/validation/validate.ts";
import { essential, must, should } from "./broken-documents.ts";
import { encryptedGood, good, signedGood } from "./documents.ts";

const goods = [good, signedGood, encryptedGood];

test.each(goods)("a good document has no findings: %#", (document) => {
  expect(validate(document)).toEqual([]);
  expect(validate(document, { mode: "lenient" })).toEqual([]);
});

describe.each([
  { kind: "essential", rows: essential, strict: "error", lenient: "error" },
  { kind: "must", rows: must, strict: "error", lenient: "warning" },
  { kind: "should", rows: should, strict: "warning", lenient: "warning" },
] as const)("$kind", ({ rows, strict, lenient }) => {
  const cases = rows.map(([rule, document, path, section]) => ({ rule, document, path, section }));
  test.each(cases)("$rule at $path", ({ rule, document, path, section }) => {
    for (const [mode, severity] of [
      ["strict", strict],
      ["lenient", lenient],
    ] as const) {
      const found = validate(document, { mode }).filter((finding) => finding.rule === rule);
      expect(found.map((finding) => finding.path.join("."))).toContain(path);
      const finding = found.find((each) => each.path.join(".") === path);
      expect(finding).toMatchObject({ severity, section });
      // One line that says what to do.
      expect(finding?.message).toMatch(/^[^\n]{15,300}$/);
    }
  });
});

test("every rule has a document that breaks it", () => {
  const rules = new Set(Object.values(ruleTables).flatMap((table) => table.rules.map(({ rule }) => rule)));
  const tested = new Set([...essential, ...must, ...should].map(([rule]) => rule));
  expect([...rules].filter((rule) => !tested.has(rule))).toEqual([]);
});
