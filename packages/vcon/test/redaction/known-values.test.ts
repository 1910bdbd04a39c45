import { expect, test } from "vitest";
import { KnownValues } from "../../src/redaction/known-values.ts";

function found(text: string, values: readonly (readonly [value: string, kind: string])[]): readonly string[] {
  const known = new KnownValues();
  for (const [value, kind] of values) known.add(value, kind);
  return known.find(text).map((span) => `${span.kind}[${span.text}]`);
}

test("numbers, with whatever stands between their digits", () => {
  const values = [["(415) 555-0132", "PHONE_NUMBER"]] as const;
  expect(found("at 415.555.0132, +14155550132 or 4155550133", values)).toEqual([
    "PHONE_NUMBER[415.555.0132]",
    "PHONE_NUMBER[4155550132]",
  ]);
  expect(found("x4155550132x", values)).toEqual(["PHONE_NUMBER[4155550132]"]);
});

test("names as whole words in their spelling, other values in any case", () => {
  const values = [
    ["Rose", "PERSON"],
    ["ann@example.com", "EMAIL_ADDRESS"],
  ] as const;
  expect(found("Rose saw a rose in the Roses. ANN@EXAMPLE.COM", values)).toEqual([
    "PERSON[Rose]",
    "EMAIL_ADDRESS[ANN@EXAMPLE.COM]",
  ]);
  expect(found("https://example.com/ann@example.com", values)).toEqual(["EMAIL_ADDRESS[ann@example.com]"]);
});

test("the longest of several, in any script; what is too short is nobody's", () => {
  const values = [
    ["Ружа", "PERSON"],
    ["Ружа Петрова", "PERSON"],
    ["Jo", "PERSON"],
    ["--", "PERSON"],
  ] as const;
  expect(found("Ружа Петрова and Jo --", values)).toEqual(["PERSON[Ружа Петрова]"]);
});

test("nothing is known, nothing is found", () => {
  expect(found("Rose", [])).toEqual([]);
});
