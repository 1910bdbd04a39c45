import { describe, expect, it } from "vitest";
import { canonicalInput, inputIdOf } from "../../src/ledger/task-identity.ts";

describe("the identity of a task", () => {
  // The vectors of the specification.
  it.each([
    ['{"number":1}', "3d6a916e86efba9105154ea95dda8d8da47df173d931c23e7a346c7babd81a3e"],
    ['{"study_id":100,"id_run":45925}', "ea058ea93114d621c1897f1e47cad245ba2a5b04edbd23a1d61ef502d5d5b76e"],
    ['{"b":2,"a":{"y":1,"x":[1,2]}}', "8695678ae96aeedf919879fc1e16139a4845f53775c3eb6d149289aa36385b31"],
    ['{"a":1}', "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"],
    ['{"a":1.0}', "c29a44abc114a1d75486434c013102c9e736f526b4fd19658d9492b7b224de6d"],
    ['{"path":"/a/b"}', "2caff9f034def988322b0b4ae192d45a764bdd172c2001416ad9749953c5ff4b"],
    ['{"a":"é/<&>","n":null,"t":true}', "751eb3e8b2834fea8b28716c39edae21ecd8508c73b346c57b79dd48c8ae575a"],
    ['{"f":1e-7,"g":1e16,"h":0.1}', "c781801ad7a85c1addb0bddc3d1135f799500128bdc1796e5d6ca38fb106feee"],
    ['{"B":1,"a":2,"é":3,"Z":4}', "d02311cbe22dc76aac6bd3f9824ee76180698edcbc0b91308747fd5eb86335e8"],
    ['{"e":"😀"}', "a061e082b87661a0bdf9a0239c5ec08f2196872fdf308c37b40cdbbd0c73a680"],
    ["{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"],
  ])("of %s", (input, id) => {
    expect(inputIdOf(input)).toBe(id);
  });

  it("does not depend on spelling: whitespace, order, escapes, repeated members", () => {
    const spelled = '{ "b" : [ 1 , {"d":"\\u00e9","c":"a\\/b"} ],\n"a":0, "a" : "x" }';
    expect(canonicalInput(spelled)).toBe('{"a":"x","b":[1,{"c":"a\\/b","d":"\\u00e9"}]}');
  });

  it("of large inputs that nest deep, or have long strings and many members, is found in one pass", () => {
    const deep = (value: string) => `${'{"b":['.repeat(500)}${value}${"]}".repeat(500)}`;
    const items = `[${Array.from({ length: 100_000 }, (_, n) => `"value ${n}"`)}]`;
    expect(canonicalInput(deep(items))).toBe(deep(items));
    const members = Array.from({ length: 50_000 }, (_, n) => `"k${String(n).padStart(6, "0")}":${n}`);
    expect(canonicalInput(`{${members.toReversed()}}`)).toBe(`{${members}}`);
    const long = `"${'\\"'.repeat(3_000_000)}"`;
    expect(canonicalInput(long) === long).toBe(true);
  });

  // What ujson 6.0.0 writes for these.
  it.each([
    ["1e15", "1000000000000000.0"],
    ["1e16", "1e+16"],
    ["123456789012345680.0", "1.2345678901234568e+17"],
    ["0.0001", "0.0001"],
    ["0.00001", "1e-5"],
    ["12e-5", "0.00012"],
    ["1.5e300", "1.5e+300"],
    ["-0.0", "-0.0"],
    ["0.0", "0.0"],
    ["-0", "0"],
    ["1e5", "100000.0"],
    ["9007199254740993.0", "9007199254740992.0"],
    ["5e-324", "5e-324"],
    ["1e400", "Infinity"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ['"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\"', '"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\"'],
    ['"\u007f\u0080\u2028"', '"\u007f\\u0080\\u2028"'],
    ['"\\ud800"', '"\\ud800"'],
    [
      '{"\\ud800":1,"\\ud800a":2,"\uffff":3,"😀a":4,"😀":5}',
      '{"\\ud800":1,"\\ud800a":2,"\\uffff":3,"\\ud83d\\ude00":5,"\\ud83d\\ude00a":4}',
    ],
    ['{"b":1,"a":2,"😀":3,"\uffff":4,"/k":5}', '{"\\/k":5,"a":2,"b":1,"\\uffff":4,"\\ud83d\\ude00":3}'],
  ])("%s is %s", (given, canonical) => {
    expect(canonicalInput(given)).toBe(canonical);
  });
});
