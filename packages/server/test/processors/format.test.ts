import type { JsonValue } from "@vconductor/vcon";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTemplate } from "../../src/processors/format.ts";
import { thrown } from "./thrown.ts";

function format(template: string, parameters: Record<string, JsonValue> = {}): string {
  return formatTemplate(template, { option: "subject", parameters: new Map(Object.entries(parameters)) });
}

describe("formatTemplate", () => {
  it("renders every kind of value", () => {
    const parameters = {
      s: "a {b} c",
      t: true,
      f: false,
      n: null,
      i: 3,
      x: 1.5,
      l: [1, "é"],
      o: { a: [null] },
    };
    const text = format("{s}|{t}|{f}|{n}|{i}|{x}|{l}|{o}", parameters);
    expect(text).toBe('a {b} c|True|False|None|3|1.5|[1,"é"]|{"a":[null]}');
  });

  it("follows keys and indexes", () => {
    expect(format("{a[key]}-{b[1]}-{c[x][0]}", { a: { key: "k" }, b: [1, 2], c: { x: ["y"] } })).toBe(
      "k-2-y",
    );
    expect(format("{a[0]}", { a: { "0": "zero" } })).toBe("zero");
    expect(format("{two words}", { "two words": 2 })).toBe("2");
  });

  it("takes doubled braces for braces", () => {
    expect(format("{{{a}}}", { a: 1 })).toBe("{1}");
    expect(format("{{a}}", { a: 1 })).toBe("{a}");
  });

  it("names a missing parameter, the template and the option", () => {
    const error = thrown(() => format("x {nope}", { a: 1, b: 2 }));
    expect(error.code).toBe("parameter_not_found");
    expect(error.message).toBe(
      "key in: x {nope} not found in ProcessorIO parameters: [a, b] when formatting: subject",
    );
  });

  it.each([["{a[b]}"], ["{a[length]}"], ["{a[9]}"], ["{s[0]}"], ["{o[constructor]}"], ["{o[__proto__]}"]])(
    "%s: a key that is not there",
    (template) => {
      const error = thrown(() => format(template, { a: [1], s: "text", o: {} }));
      expect(error.code).toBe("parameter_not_found");
    },
  );

  it.each([
    ["{"],
    ["}"],
    ["a } b"],
    ["{a"],
    ["{}"],
    ["{0}"],
    ["{a.b}"],
    ["{a!r}"],
    ["{a:>10}"],
    ["{a[}"],
    ["{a[]}"],
    ["{a[b]c}"],
    ["{{a}"],
    ["{a{b}}"],
  ])("%s is refused and named", (template) => {
    const error = thrown(() => format(template, { a: { b: 1 } }));
    expect(error.code).toBe("invalid_options");
    expect(error.message).toContain(`template: ${template} of option: subject`);
  });

  it("gives back any text whose braces are doubled", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", "a", "[", "]", "😀", "\n") }), (text) => {
        expect(format(text.replaceAll("{", "{{").replaceAll("}", "}}"))).toBe(text);
      }),
    );
  });

  it("never expands what a parameter brought in", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, value) => {
        const escaped = before.replaceAll("{", "{{").replaceAll("}", "}}");
        expect(format(`${escaped}{p}`, { p: value })).toBe(before + value);
      }),
    );
  });

  it("either expands or throws one of its two errors, whatever the template", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("{", "}", "a", "[", "]", ".", "0", "!") }),
        (template) => {
          try {
            expect(typeof format(template, { a: { a: [1] } })).toBe("string");
          } catch (error) {
            expect(error).toMatchObject({
              code: expect.stringMatching(/^(invalid_options|parameter_not_found)$/),
            });
          }
        },
      ),
    );
  });
});
