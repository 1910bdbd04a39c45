import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonValue, rewrite } from "../src/index.ts";

function parse(text: string): JsonValue {
  return JSON.parse(text);
}

/** The text of `text` after `change` has been applied to a fresh copy of its value. */
function edited(text: string, change: (copy: Record<string, JsonValue>) => void): string {
  const changed = JSON.parse(text);
  change(changed);
  return rewrite({ text, original: parse(text), changed });
}

test("numbers, whitespace and order stay where nothing changed", () => {
  const text = `{ "b" : 1.0,\n  "2": 12345678901234567890, "1": 1e2 ,"a":"\\u0041", "z": [ 1.50, { "x":-0 } ] }\n`;
  expect(edited(text, () => {})).toBe(text);
  expect(edited(text, (copy) => Object.assign(copy, { n: [1] }))).toBe(
    `{ "b" : 1.0,\n  "2": 12345678901234567890, "1": 1e2 ,"a":"\\u0041", "z": [ 1.50, { "x":-0 } ], "n": [1] }\n`,
  );
  expect(edited(text, (copy) => Object.assign(copy, { 2: "two" }))).toBe(
    text.replace("12345678901234567890", '"two"'),
  );
});

test("a removed member takes its comma along", () => {
  const text = `{\n  "a": 1.0,\n  "b": 2.0,\n  "c": 3.0\n}`;
  const without = (name: string) => edited(text, (copy) => Reflect.deleteProperty(copy, name));
  expect(without("a")).toBe(`{\n  "b": 2.0,\n  "c": 3.0\n}`);
  expect(without("b")).toBe(`{\n  "a": 1.0,\n  "c": 3.0\n}`);
  expect(without("c")).toBe(`{\n  "a": 1.0,\n  "b": 2.0\n}`);
  expect(rewrite({ text, original: parse(text), changed: {} })).toBe("{}");
  expect(rewrite({ text: "{ }", original: {}, changed: { a: 1 } })).toBe('{"a":1}');
});

test("a new member of a pretty document is set like its neighbours", () => {
  expect(edited(`{\n  "a": 1.0\n}`, (copy) => Object.assign(copy, { b: 2 }))).toBe(
    `{\n  "a": 1.0,\n  "b": 2\n}`,
  );
});

test("array elements that stayed keep their text when others come or go", () => {
  const text = '[1.0, 2.0 ,3.0, {"a":4.0}]';
  const change = (changed: JsonValue) => rewrite({ text, original: parse(text), changed });
  expect(change([2, 3, { a: 4 }])).toBe('[2.0 ,3.0, {"a":4.0}]');
  expect(change([0, 1, 2, 3, { a: 4 }])).toBe('[0, 1.0, 2.0 ,3.0, {"a":4.0}]');
  expect(change([1, 2, 3, { a: 4 }, 5])).toBe('[1.0, 2.0 ,3.0, {"a":4.0}, 5]');
  expect(change([1, 9, 3, { a: 4, b: 5 }])).toBe('[1.0, 9 ,3.0, {"a":4.0,"b":5}]');
  expect(change([])).toBe("[]");
});

test("repeated members stay, until the one that counts changes", () => {
  const text = `{"a":1.0,"b":2.0,"a":3.0}`;
  expect(edited(text, (copy) => Object.assign(copy, { b: 5 }))).toBe(`{"a":1.0,"b":5,"a":3.0}`);
  expect(edited(text, (copy) => Object.assign(copy, { a: 5 }))).toBe(`{"b":2.0,"a":5}`);
  expect(edited(text, (copy) => Reflect.deleteProperty(copy, "a"))).toBe(`{"b":2.0}`);
});

test("members keep their place whatever the order in the changed copy", () => {
  const text = `{"a":1,"b":2,"c":[]}`;
  expect(rewrite({ text, original: parse(text), changed: { c: [1], b: 2, d: 4, a: 1 } })).toBe(
    `{"a":1,"b":2,"c":[1],"d":4}`,
  );
});

test("undefined members count as absent, and a number too large for JavaScript stays", () => {
  const text = `{"big":1e999,"a":1}`;
  const changed = { ...JSON.parse(text), a: undefined, b: true };
  expect(rewrite({ text, original: parse(text), changed })).toBe(`{"big":1e999,"b":true}`);
});

/* Any JSON text: odd numbers, odd spacing, repeated, integer-like and `__proto__` members. */
const space = fc.constantFrom("", "", " ", "\n  ", "\t", "\r\n");
const number = fc.oneof(
  fc.constantFrom("0", "-0", "1.0", "1e3", "1E-2", "12345678901234567890", "0.10", "-1.50e+2"),
  fc.integer().map(String),
);
const string = fc.oneof(
  fc.string({ unit: "binary" }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\u0041\\/"', '"\\"\\\\"', '"\\\\\\\\\\""', '"[{,]}:"', '""'),
);
const name = fc.oneof(
  fc.constantFrom('"__proto__"', '"1"', '"0"', '"a"', '"b"', '"\\u0061"', '"toString"'),
  string,
);
const { text: jsonText, object: objectText } = fc.letrec<{ text: string; array: string; object: string }>(
  (tie) => ({
    text: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(number, string, fc.constantFrom("true", "false", "null")),
      tie("array"),
      tie("object"),
    ),
    array: fc
      .array(fc.tuple(space, tie("text"), space), { maxLength: 5 })
      .map((items) => `[${items.map((item) => item.join("")).join(",")}]`),
    object: fc
      .array(fc.tuple(space, name, space, fc.constant(":"), space, tie("text"), space), { maxLength: 5 })
      .map((items) => `{${items.map((item) => item.join("")).join(",")}}`),
  }),
);

/** Negative zero is zero to JSON. */
function plain(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

test("without a change the text comes back", () => {
  fc.assert(
    fc.property(jsonText, space, (text, around) => {
      const whole = around + text + around;
      expect(rewrite({ text: whole, original: parse(whole), changed: parse(whole) })).toBe(whole);
    }),
  );
});

test("a member added to any object leaves every other byte alone", () => {
  fc.assert(
    fc.property(objectText, jsonText, (text, added) => {
      const original = parse(text);
      const changed = { ...JSON.parse(text), "a new member": JSON.parse(added) };
      const result = rewrite({ text, original, changed });
      expect(plain(parse(result))).toStrictEqual(plain(changed));
      const head = text.slice(0, -1).trimEnd();
      expect(result.startsWith(head)).toBe(true);
      expect(result.slice(head.length)).toContain('"a new member":');
      const tail = text.slice(head.length, -1);
      if (head !== "{") expect(result.endsWith(`${tail}}`)).toBe(true);
    }),
  );
});

test("a change deep inside leaves the members around it alone", () => {
  fc.assert(
    fc.property(objectText, jsonText, jsonText, jsonText, (before, inner, after, next) => {
      const text = `{"before" : ${before},"list": [${before}, {"x": ${inner}} ,${after}] , "after":${after}\n}`;
      const changed = JSON.parse(text);
      changed.list[1].x = JSON.parse(next);
      const result = rewrite({ text, original: parse(text), changed });
      expect(plain(parse(result))).toStrictEqual(plain(changed));
      expect(result.startsWith(`{"before" : ${before},"list": [${before}, {"x": `)).toBe(true);
      expect(result.endsWith(`} ,${after}] , "after":${after}\n}`)).toBe(true);
    }),
  );
});

test("any change parses to what was asked for", () => {
  fc.assert(
    fc.property(jsonText, jsonText, (text, other) => {
      const changed = parse(other);
      expect(plain(parse(rewrite({ text, original: parse(text), changed })))).toStrictEqual(plain(changed));
    }),
    { numRuns: 500 },
  );
});

test("any member of any object can go", () => {
  fc.assert(
    fc.property(objectText, fc.nat(), (text, choice) => {
      const changed = JSON.parse(text);
      const names = Object.keys(changed);
      fc.pre(names.length > 0);
      Reflect.deleteProperty(changed, names[choice % names.length] ?? "");
      const result = rewrite({ text, original: parse(text), changed });
      expect(plain(parse(result))).toStrictEqual(plain(changed));
    }),
  );
});
