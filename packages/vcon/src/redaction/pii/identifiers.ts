import { type PiiSpan, spanAt } from "./types.ts";

/* Numbers of cards, accounts and people that carry a check digit or a prescribed form. */

/** How far before a number the words may stand that say what it is. */
const CONTEXT = 48;

/** Whether the digits pass the check that payment cards and some other numbers have (Luhn, ISO/IEC 7812). */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, double = false; at >= 0; at -= 1, double = !double) {
    const digit = Number(digits[at]) * (double ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/** Whether the digits may be a payment card's: its length, who issues them, and the check digit. */
export function isCardNumber(digits: string): boolean {
  return /^[2-6]\d{12,18}$/.test(digits) && !/^(\d)\1+$/.test(digits) && passesLuhn(digits);
}

const digitRun = /(?<![\d])\d(?:[ \u00a0.-]?\d){12,80}(?!\d)/g;

/** Payment cards, also where other numbers stand before or after them. */
export function findCards(text: string): readonly PiiSpan[] {
  return [...text.matchAll(digitRun)].flatMap(({ index, 0: run }) => {
    const groups = [...run.matchAll(/\d+/g)].map(({ index: at, 0: digits }) => ({
      start: index + at,
      digits,
    }));
    const spans: PiiSpan[] = [];
    for (let first = 0; first < groups.length; first += 1) {
      const last = lastOfCard(groups.slice(first).map(({ digits }) => digits));
      const [from, to] = [groups[first], last === undefined ? undefined : groups[first + last]];
      if (last === undefined || from === undefined || to === undefined) continue;
      spans.push(
        spanAt(text, {
          kind: "CREDIT_CARD",
          start: from.start,
          end: to.start + to.digits.length,
          score: 0.95,
        }),
      );
      first += last;
    }
    return spans;
  });
}

/** The group with which the longest card number ends that begins with the first one. */
function lastOfCard(groups: readonly string[]): number | undefined {
  let digits = "";
  let found: number | undefined;
  for (const [index, group] of groups.entries()) {
    digits += group;
    if (digits.length > 19) break;
    if (isCardNumber(digits)) found = index;
  }
  return found;
}

const ibanStart = /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?=(?:[ \u00a0-]?[A-Z0-9]){11})/giu;

/** International bank account numbers, with the length of their country and a right check sum. */
export async function findIbans(text: string): Promise<readonly PiiSpan[]> {
  const starts = [...text.matchAll(ibanStart)];
  if (starts.length === 0) return [];
  const { countrySpecs, isValidIBAN } = await import("ibantools");
  return starts.flatMap(({ index, 0: start }) => {
    const specs: Readonly<Record<string, { readonly chars?: number | null } | undefined>> = countrySpecs;
    const length = specs[start.slice(0, 2).toUpperCase()]?.chars ?? 0;
    const exact = new RegExp(`^(?:[ \\u00a0-]?[A-Z0-9]){${length}}(?![A-Z0-9])`, "i").exec(
      text.slice(index, index + 80),
    );
    if (length === 0 || exact === null) return [];
    const [found] = exact;
    if (!isValidIBAN(found.replace(/[^A-Z0-9]/gi, "").toUpperCase())) return [];
    return [spanAt(text, { kind: "IBAN_CODE", start: index, end: index + found.length, score: 1 })];
  });
}

interface IdRule {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly score: number;
  /** Words before it, without which it could be anything. */
  readonly context?: RegExp;
  readonly check?: (digits: string) => boolean;
}

const idRules: readonly IdRule[] = [
  {
    kind: "US_SSN",
    pattern: /(?<![\d-])(?!000|666|9)\d{3}([- \u00a0.])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/g,
    score: 0.9,
  },
  {
    kind: "US_SSN",
    pattern: /(?<![\d-])(?!000|666|9)\d{3}[- .]?(?!00)\d{2}[- .]?(?!0000)\d{4}(?![\d-])/g,
    context: /\b(?:ssn|social(?: security)?|tax(?:payer)? id)/i,
    score: 0.9,
  },
  { kind: "US_ITIN", pattern: /(?<![\d-])9\d{2}[- ][5-9]\d[- ]\d{4}(?![\d-])/g, score: 0.9 },
  {
    kind: "UK_NINO",
    pattern: /\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/gi,
    score: 0.9,
  },
  {
    kind: "CA_SIN",
    pattern: /(?<![\d-])[1-79]\d{2}([- ])\d{3}\1\d{3}(?![\d-])/g,
    score: 0.85,
    check: passesLuhn,
  },
  {
    kind: "CA_SIN",
    pattern: /(?<![\d-])\d{3}([- ]?)\d{3}\1\d{3}(?![\d-])/g,
    context: /\b(?:sin|social insurance)\b/i,
    check: passesLuhn,
    score: 0.9,
  },
  {
    kind: "ACCOUNT_NUMBER",
    pattern: /(?<![\p{L}\p{N}])(?=[A-Z]{0,3}\d)[A-Z]{0,3}\d(?:[ -]?\d){5,19}(?![\p{L}\p{N}])/giu,
    context:
      /\b(?:account|acct|routing|passport|licen[cs]e|policy|member(?:ship)?|customer)(?: (?:id|no|number|#))?\b/i,
    score: 0.55,
  },
];

/** Numbers by which states and companies know people. */
export function findIds(text: string): readonly PiiSpan[] {
  return idRules.flatMap(({ kind, pattern, score, context, check }) =>
    [...text.matchAll(pattern)].flatMap(({ index, 0: found }) => {
      const before = text.slice(Math.max(0, index - CONTEXT), index);
      const right = (context?.test(before) ?? true) && (check?.(found.replace(/\D/g, "")) ?? true);
      return right ? [spanAt(text, { kind, start: index, end: index + found.length, score })] : [];
    }),
  );
}
