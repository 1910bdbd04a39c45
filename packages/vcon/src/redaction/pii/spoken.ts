import { isCardNumber } from "./identifiers.ts";
import { type PiiSpan, spanAt } from "./types.ts";

const words = new Map(
  ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].map((word, digit) => [
    word,
    `${digit}`,
  ]),
)
  .set("oh", "0")
  .set("o", "0")
  .set("nought", "0");
const times = new Map([
  ["double", 2],
  ["triple", 3],
]);
const word = `(?:${[...words.keys(), ...times.keys()].join("|")})`;
/** Digits as they are dictated, with a hesitation at most between two of them. */
const run = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${word}|\\d{1,4})(?:[\\s,.–-]{1,4}(?:(?:um|uh|and|then),? )?(?:${word}|\\d{1,4}))+(?![\\p{L}\\p{N}])`,
  "giu",
);

/** Shorter ones are times, prices and house numbers. */
const MIN_DIGITS = 7;
const MIN_WORDS = 3;

/** Numbers that were dictated digit by digit, as transcripts have them: "five five five oh one …". */
export function findSpokenNumbers(text: string): readonly PiiSpan[] {
  return [...text.matchAll(run)].flatMap(({ index, 0: found }) => {
    const { digits, spoken } = digitsOf(found);
    if (digits.length < MIN_DIGITS || spoken < MIN_WORDS) return [];
    return [spanAt(text, { kind: kindOf(digits), start: index, end: index + found.length, score: 0.7 })];
  });
}

function digitsOf(text: string): { readonly digits: string; readonly spoken: number } {
  let digits = "";
  let spoken = 0;
  let repeat = 1;
  for (const [token] of text.toLowerCase().matchAll(/\p{L}+|\d+/gu)) {
    const digit = words.get(token);
    if (digit !== undefined) spoken += 1;
    const value = digit ?? (/^\d/.test(token) ? token : "");
    digits += value.repeat(repeat);
    repeat = times.get(token) ?? 1;
  }
  return { digits, spoken };
}

function kindOf(digits: string): string {
  if (isCardNumber(digits)) return "CREDIT_CARD";
  return digits.length === 10 || digits.length === 7 || (digits.length === 11 && digits.startsWith("1"))
    ? "PHONE_NUMBER"
    : "ACCOUNT_NUMBER";
}
