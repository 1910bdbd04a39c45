import { expect, it } from "vitest";
import { canonicalJson } from "../src/canonical-json.ts";

it("sorts members and writes values as RFC 8785 has it (section 3.2.2)", () => {
  const value = JSON.parse(`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`);
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

it("sorts by UTF-16 units (section 3.2.3)", () => {
  const value = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    1: "One",
    "\u{1f600}": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
  };
  expect(Object.values(JSON.parse(canonicalJson(value).replace('"1":', '"\\u0000first":')))).toEqual([
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
  ]);
});

it("gives equal texts for equal values, however they are ordered", () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: {} })).toBe('{"a":{},"b":[{"x":2,"y":1}]}');
  expect(canonicalJson({ a: {}, b: [{ x: 2, y: 1 }] })).toBe('{"a":{},"b":[{"x":2,"y":1}]}');
});
