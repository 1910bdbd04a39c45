import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findPii } from "../../src/redaction/pii/find-pii.ts";
import { replacePii } from "../../src/redaction/pii/replace.ts";
import { resolveSpans } from "../../src/redaction/pii/resolve.ts";
import type { PiiKind } from "../../src/redaction/pii/types.ts";

/** What is found, as `KIND[text]`. */
async function found(text: string, options: Parameters<typeof findPii>[1] = {}): Promise<readonly string[]> {
  return (await findPii(text, options)).map((span) => `${span.kind}[${span.text}]`);
}

const examples: readonly (readonly [text: string, kind: PiiKind, value: string])[] = [
  ["Write to ann.lee+work@mail.example.com, please.", "EMAIL_ADDRESS", "ann.lee+work@mail.example.com"],
  ["It is ann dot lee at example dot com", "EMAIL_ADDRESS", "ann dot lee at example dot com"],
  ["Call (415) 555-0132.", "PHONE_NUMBER", "(415) 555-0132"],
  ["Call +44 20 7946 0958 today.", "PHONE_NUMBER", "+44 20 7946 0958"],
  ["it's five five five oh one three two", "PHONE_NUMBER", "five five five oh one three two"],
  ["Card 4111 1111 1111 1111 12/27", "CREDIT_CARD", "4111 1111 1111 1111"],
  ["Card 378282246310005.", "CREDIT_CARD", "378282246310005"],
  [
    "four, double one one triple one, double one double one triple one one one",
    "CREDIT_CARD",
    "four, double one one triple one, double one double one triple one one one",
  ],
  ["IBAN DE89 3704 0044 0532 0130 00 is mine", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"],
  ["gb82west12345698765432", "IBAN_CODE", "gb82west12345698765432"],
  ["SSN 219-09-9999", "US_SSN", "219-09-9999"],
  ["my social security number is 219099999", "US_SSN", "219099999"],
  ["ITIN 912-71-1234", "US_ITIN", "912-71-1234"],
  ["NI number AB 12 34 56 C", "UK_NINO", "AB 12 34 56 C"],
  ["SIN 046 454 286", "CA_SIN", "046 454 286"],
  ["account number 00123456", "ACCOUNT_NUMBER", "00123456"],
  ["from 192.168.1.20.", "IP_ADDRESS", "192.168.1.20"],
  ["from 2001:db8::8a2e:370:7334", "IP_ADDRESS", "2001:db8::8a2e:370:7334"],
  ["see https://example.com/a?b=c.", "URL", "https://example.com/a?b=c"],
  ["I was born on April 12th, 1985", "DATE_OF_BIRTH", "April 12th, 1985"],
  ["DOB: 12/04/85", "DATE_OF_BIRTH", "12/04/85"],
  ["Maria Gonzalez speaking", "PERSON", "Maria Gonzalez"],
];

test.each(examples)("%s → %s", async (text, kind, value) => {
  expect(await found(text)).toContain(`${kind}[${value}]`);
});

test.each([
  "The order 12345 of 2026-01-02 costs 1,234.56 in version 1.2.3, at 10:20:30.",
  "Card 4111 1111 1111 1112 fails its check.",
  "DE89 3704 0044 0532 0130 02 is no account.",
  "One two three, testing.",
  "999.999.999.999 is no address, and 1::2::3 neither.",
])("nothing personal: %s", async (text) => {
  const kinds = (await findPii(text)).filter(({ kind }) => kind !== "PHONE_NUMBER");
  expect(kinds).toEqual([]);
});

describe("known names", () => {
  test("are found whole and in parts, in any script", async () => {
    const text = "Zbigniew said that Ружа Петрова knows Kowalski.";
    expect(await found(text, { names: ["Zbigniew Kowalski", "Ружа Петрова"], kinds: ["PERSON"] })).toEqual([
      "PERSON[Zbigniew]",
      "PERSON[Ружа Петрова]",
      "PERSON[Kowalski]",
    ]);
  });
  test("are not found inside other words", async () => {
    expect(await found("Annexes and Bobsleighs", { names: ["Ann Bob"] })).toEqual([]);
  });
});

test("offsets count UTF-16 units, as slice does", async () => {
  const text = "😀😀 ann@example.com";
  const [span] = await findPii(text);
  expect(span).toMatchObject({ start: 5, end: text.length, text: "ann@example.com" });
});

test("a country says whose numbers need no code", async () => {
  expect(await found("Ruf 030 901820 an", { country: "DE", kinds: ["PHONE_NUMBER"] })).toEqual([
    "PHONE_NUMBER[030 901820]",
  ]);
});

test("kinds can be chosen", async () => {
  expect(await found("ann@example.com, 219-09-9999", { kinds: ["US_SSN"] })).toEqual(["US_SSN[219-09-9999]"]);
});

test("spans point at their text, in order and apart, whatever the text", async () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom(...examples.map(([text]) => text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 4 }), async (parts) => {
      const text = parts.join(" ");
      let end = 0;
      for (const span of await findPii(text)) {
        expect(span.start).toBeGreaterThanOrEqual(end);
        expect(span.end).toBeGreaterThan(span.start);
        expect(text.slice(span.start, span.end)).toBe(span.text);
        end = span.end;
      }
    }),
    { numRuns: 150 },
  );
});

test("what overlaps is resolved: the surer one stays whole, the rest of the other is not lost", () => {
  const text = "alpha beta gamma";
  const span = (start: number, end: number, score: number, kind: string) => ({
    start,
    end,
    score,
    kind,
    text: text.slice(start, end),
  });
  const resolved = resolveSpans(text, [span(0, 10, 0.5, "A"), span(6, 16, 0.9, "B"), span(11, 13, 0.8, "C")]);
  expect(resolved.map(({ kind, text: value }) => `${kind}[${value}]`)).toEqual(["A[alpha]", "B[beta gamma]"]);
});

test("two of the same kind that meet are one", () => {
  const text = "Mr. Okafor Lee";
  const span = (start: number, end: number, score: number) => ({
    start,
    end,
    score,
    kind: "PERSON",
    text: text.slice(start, end),
  });
  expect(resolveSpans(text, [span(0, 10, 0.6), span(4, 14, 0.9)])).toEqual([span(0, 14, 0.9)]);
  expect(resolveSpans(text, [span(0, 3, 0.6), span(4, 10, 0.9)])).toHaveLength(2);
});

test("replacing keeps everything else, whatever the lengths", async () => {
  const text = "a@example.com and 219-09-9999 and b@example.com";
  expect(replacePii(text, await findPii(text))).toBe(
    "{{EMAIL_ADDRESS}} and {{US_SSN}} and {{EMAIL_ADDRESS}}",
  );
  expect(replacePii(text, await findPii(text), () => "█")).toBe("█ and █ and █");
});
