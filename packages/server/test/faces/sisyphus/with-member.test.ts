import fc from "fast-check";
import { expect, it } from "vitest";
import { withMember } from "../../../src/faces/sisyphus/with-member.ts";

it("leaves all other members as they were written", () => {
  const before = '{ "a" : 1.0, "name": {"x": ["name", 1]}, "b\\"": "}," , "n\\u0061me":2 }';
  expect(withMember(before, "name", "n")).toBe('{ "a" : 1.0, "b\\"": "}," ,"name":"n"}');
  expect(withMember(" {\n} ", "name", "n")).toBe('{"name":"n"}');
});

it("means the same as an assignment", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.string(), fc.constant("name")), fc.jsonValue()),
      fc.string(),
      fc.constantFrom(0, 2),
      (object, value, indent) => {
        const json = JSON.stringify(object, null, indent);
        const meant = { ...JSON.parse(json), name: value };
        expect(JSON.parse(withMember(json, "name", value))).toEqual(meant);
      },
    ),
  );
});
