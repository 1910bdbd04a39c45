import { isArray, isObject } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { replacePii } from "./pii/replace.ts";
import type { PiiDetector, PiiSpan } from "./pii/types.ts";

/** What was found, without the words themselves. */
export interface PiiFinding {
  /** For example "dialog[0]", "parties[1]", "subject". */
  readonly place: string;
  readonly kind: string;
  /** Where in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** A stretch of text that belongs together though it is kept in pieces, such as the turns of one speaker. */
export interface Piece {
  readonly text: string;
  readonly place: string;
}

/** Shorter ones would hit innocent words when they are looked for everywhere. */
const MIN_KNOWN = 4;
const MIN_DIGITS = 7;

/**
 * Replaces personal data in text, remembers every value it found, and at the end looks for those values wherever
 * else they stand: what was recognised in one place by its surroundings must not survive in another.
 */
export class Scrubber {
  readonly #detector: PiiDetector;
  readonly #found = new Map<string, string>();
  readonly #seen = new Map<string, readonly PiiSpan[]>();
  readonly findings: PiiFinding[] = [];

  constructor(detector: PiiDetector) {
    this.#detector = detector;
  }

  /** A value that is known to be personal, such as a party's number. */
  know(value: string, kind: string): void {
    const text = value.trim();
    if (text.length >= MIN_KNOWN) this.#found.set(text, kind);
  }

  async text(text: string, place: string): Promise<string> {
    const [clean = ""] = await this.pieces([{ text, place }]);
    return clean;
  }

  /** Looks at the pieces as one text, so that a number that is spread over two of them is seen. */
  async pieces(pieces: readonly Piece[]): Promise<readonly string[]> {
    const spans = await this.#detect(pieces.map(({ text }) => text).join(" "));
    for (const { text, kind } of spans) this.know(text, kind);
    let from = 0;
    return pieces.map(({ text, place }) => {
      const offset = from;
      from += text.length + 1;
      const inside = spans
        .map(({ start, end, kind }) => ({
          kind,
          start: Math.max(0, start - offset),
          end: Math.min(text.length, end - offset),
        }))
        .filter(({ start, end }) => start < end);
      this.findings.push(...inside.map(({ kind, start, end }) => ({ place, kind, start, end })));
      return replacePii(text, inside);
    });
  }

  /** Every string in a JSON value, names of members too; numbers that read like personal data become text. */
  async value(value: JsonValue, place: string): Promise<JsonValue> {
    if (typeof value === "string") return this.text(value, place);
    if (typeof value === "number") {
      const digits = String(value);
      const clean = digits.length < MIN_DIGITS ? digits : await this.text(digits, place);
      return clean === digits ? value : clean;
    }
    if (isArray(value)) {
      const list: JsonValue[] = [];
      for (const entry of value) list.push(await this.value(entry, place));
      return list;
    }
    return isObject(value) ? this.object(value, place) : value;
  }

  async object(object: JsonObject, place: string): Promise<JsonObject> {
    const members: (readonly [string, JsonValue])[] = [];
    for (const [name, value] of Object.entries(object)) {
      members.push([await this.text(name, place), await this.value(value, place)]);
    }
    return Object.fromEntries(members);
  }

  /** Replaces what is known by now in a value, wherever it stands. */
  sweep(value: JsonValue, place: string): JsonValue {
    const patterns = [...this.#found].map(([text, kind]) => ({ kind, pattern: patternOf(text, kind) }));
    const clean = (text: string): string =>
      patterns.reduce(
        (rest, { kind, pattern }) =>
          rest.replace(pattern, (match: string, offset: number) => {
            this.findings.push({ place, kind, start: offset, end: offset + match.length });
            return `{{${kind}}}`;
          }),
        text,
      );
    const walk = (inner: JsonValue): JsonValue => {
      if (typeof inner === "string") return clean(inner);
      if (typeof inner === "number") {
        const digits = String(inner);
        const swept = digits.length < MIN_DIGITS ? digits : clean(digits);
        return swept === digits ? inner : swept;
      }
      if (isArray(inner)) return inner.map(walk);
      if (!isObject(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).map(([name, member]) => [clean(name), walk(member)]));
    };
    return walk(value);
  }

  async #detect(text: string): Promise<readonly PiiSpan[]> {
    if (!/[\p{L}\p{N}]{2}|@/u.test(text)) return [];
    const known = this.#seen.get(text);
    if (known !== undefined) return known;
    const spans = await this.#detector(text);
    if (text.length < 1000) this.#seen.set(text, spans);
    return spans;
  }
}

/** Long numbers are found with any separators; names as whole words in their spelling, the rest in any case. */
function patternOf(text: string, kind: string): RegExp {
  const digits = text.replace(/\D/g, "");
  if (digits.length >= MIN_DIGITS && /^[\d\s()+./-]+$/.test(text)) {
    return new RegExp(`\\+?${[...digits].join("[\\s()./-]{0,3}")}`, "g");
  }
  const literal = text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return kind === "PERSON"
    ? new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, "gu")
    : new RegExp(literal, "gi");
}
