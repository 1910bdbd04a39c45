import fc from "fast-check";
import { expect, test } from "vitest";
import { isObject } from "../../src/document/json.ts";
import type { JsonObject } from "../../src/document/types.ts";
import type { Rule, Subject } from "../../src/validation/rule.ts";
import { must } from "../../src/validation/rule.ts";
import { RuleTable } from "../../src/validation/rule-table.ts";
import { ruleTables } from "../../src/validation/rules.ts";
import { damaged, nonsense } from "./generated.ts";

function subjectOf(object: JsonObject): Subject {
  const whole = {
    document: object,
    parties: 1,
    attachments: 1,
    dialogs: [{}],
    redacted: false,
    recordingsOf: () => undefined,
    protectedHeader: () => undefined,
  };
  return { title: "Dialog Object", object, names: Object.keys(object), path: [], index: 0, whole };
}

function reportsOf(rule: Rule, object: JsonObject): number {
  let count = 0;
  rule.check(subjectOf(object), () => {
    count += 1;
    return true;
  });
  return count;
}

test("gives the rules on the members that are there and those on any object, in their order", () => {
  const nothing = () => undefined;
  const rules = [
    must("first", { about: ["a", "b"], check: nothing }),
    must("second", nothing),
    must("third", { about: ["b"], check: nothing }),
  ];
  const names = (...members: readonly string[]) =>
    new RuleTable(rules).about(members).map(({ rule }) => rule);
  expect(names()).toEqual(["second"]);
  expect(names("b", "a")).toEqual(["first", "second", "third"]);
  expect(names("a", "x", "__proto__", "constructor")).toEqual(["first", "second"]);
});

test("a rule that is left out has nothing to say", () => {
  const objects = fc.oneof(nonsense.object, damaged).filter((value) => isObject(value));
  fc.assert(
    fc.property(objects, (object) => {
      for (const table of Object.values(ruleTables)) {
        const asked = new Set(table.about(Object.keys(object)));
        for (const rule of table.rules) {
          if (!asked.has(rule)) expect(reportsOf(rule, object), rule.rule).toBe(0);
        }
      }
    }),
    { numRuns: 300 },
  );
});
