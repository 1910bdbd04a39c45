import { resolveSpans } from "./pii/resolve.ts";
import { type PiiSpan, spanAt } from "./pii/types.ts";

/** Shorter ones would hit innocent words when they are looked for everywhere. */
const MIN_LENGTH = 4;
export const MIN_DIGITS = 7;

interface Literal {
  readonly text: string;
  readonly kind: string;
  /** Where its first word begins. */
  readonly offset: number;
}

const word = /[\p{L}\p{N}]+/gu;
const number = /\d(?:[\s()./-]{0,3}\d){6,}/g;

/**
 * Values that are known to be personal, found wherever they stand in a text: numbers with any separators, names as
 * whole words in their spelling, the rest in any case. Takes one pass over the text, however many values there are.
 */
export class KnownValues {
  readonly #numbers = new Map<string, string>();
  /** How many digits they have. */
  readonly #lengths = new Set<number>();
  /** By the first word, in lower case. */
  readonly #literals = new Map<string, Literal[]>();
  readonly #known = new Set<string>();

  add(value: string, kind: string): void {
    const text = value.trim();
    if (text.length < MIN_LENGTH || this.#known.has(text)) return;
    this.#known.add(text);
    const digits = text.replace(/\D/g, "");
    if (digits.length >= MIN_DIGITS && /^[\d\s()+./-]+$/.test(text)) {
      this.#numbers.set(digits, kind);
      this.#lengths.add(digits.length);
      return;
    }
    const first = text.match(word)?.[0];
    if (first === undefined) return;
    const literals = this.#literals.get(first.toLowerCase()) ?? [];
    literals.push({ text, kind, offset: text.indexOf(first) });
    this.#literals.set(first.toLowerCase(), literals);
  }

  /** In the order of the text, not overlapping. */
  find(text: string): readonly PiiSpan[] {
    if (this.#known.size === 0) return [];
    return resolveSpans(text, [...this.#findLiterals(text), ...this.#findNumbers(text)]);
  }

  #findLiterals(text: string): readonly PiiSpan[] {
    if (this.#literals.size === 0) return [];
    return [...text.matchAll(word)].flatMap(({ 0: found, index }) =>
      (this.#literals.get(found.toLowerCase()) ?? []).flatMap(({ text: value, kind, offset }) => {
        const start = index - offset;
        const end = start + value.length;
        const there = text.slice(Math.max(0, start), end);
        const exact = kind === "PERSON";
        if (exact ? there !== value : there.toLowerCase() !== value.toLowerCase()) return [];
        // A name is none within a longer word.
        if (exact && /^[\p{L}\p{N}]/u.test(text.slice(end, end + 2))) return [];
        return [spanAt(text, { kind, start, end, score: 1 })];
      }),
    );
  }

  #findNumbers(text: string): readonly PiiSpan[] {
    if (this.#numbers.size === 0) return [];
    return [...text.matchAll(number)].flatMap(({ 0: run, index }) => {
      const places = [...run.matchAll(/\d/g)].map((digit) => index + digit.index);
      const digits = run.replace(/\D/g, "");
      const spans: PiiSpan[] = [];
      for (const length of this.#lengths) {
        for (let at = 0; at + length <= digits.length; at += 1) {
          const kind = this.#numbers.get(digits.slice(at, at + length));
          const [start, last] = [places[at], places[at + length - 1]];
          if (kind === undefined || start === undefined || last === undefined) continue;
          const plus = text[start - 1] === "+" ? 1 : 0;
          spans.push(spanAt(text, { kind, start: start - plus, end: last + 1, score: 1 }));
        }
      }
      return spans;
    });
  }
}
