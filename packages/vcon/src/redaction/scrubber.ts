import { isArray, isObject } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { KnownValues, MIN_DIGITS } from "./known-values.ts";
import { findKnownNames } from "./pii/names.ts";
import { replacePii } from "./pii/replace.ts";
import { resolveSpans } from "./pii/resolve.ts";
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

/**
 * Replaces personal data in text, remembers every value it found, and at the end looks for those values wherever
 * else they stand: what was recognised in one place by its surroundings must not survive in another.
 */
export class Scrubber {
  readonly #detector: PiiDetector;
  readonly #names: readonly string[];
  readonly #known = new KnownValues();
  readonly #seen = new Map<string, readonly PiiSpan[]>();
  readonly findings: PiiFinding[] = [];

  /** @param names of people; each part of them is personal wherever it stands, whatever the detector makes of it */
  constructor(detector: PiiDetector, names: readonly string[] = []) {
    this.#detector = detector;
    this.#names = names;
  }

  /** A value that is known to be personal, such as a party's number. */
  know(value: string, kind: string): void {
    this.#known.add(value, kind);
  }

  async text(text: string, place: string): Promise<string> {
    const [clean = ""] = await this.pieces([{ text, place }]);
    return clean;
  }

  /** Looks at the pieces as one text, so that a number that is spread over two of them is seen. */
  async pieces(pieces: readonly Piece[]): Promise<readonly string[]> {
    const spans = await this.#detect(pieces.map(({ text }) => text).join(" "));
    for (const { text, kind } of spans) this.know(text, kind);
    let offset = 0;
    let first = 0;
    return pieces.map(({ text, place }) => {
      const end = offset + text.length;
      // Spans are in order, so those of earlier pieces need no second look; one may reach into several.
      while ((spans[first]?.end ?? end) < offset) first += 1;
      const inside: Omit<PiiFinding, "place">[] = [];
      for (let at = first; (spans[at]?.start ?? end) < end; at += 1) {
        const span = spans[at];
        if (span === undefined || span.end <= offset) continue;
        const [from, to] = [Math.max(0, span.start - offset), Math.min(text.length, span.end - offset)];
        inside.push({ kind: span.kind, start: from, end: to });
      }
      offset = end + 1;
      return this.#replace(text, place, inside);
    });
  }

  /** What a program calls things, such as a vendor: anything personal in it goes, but a word is not taken for a name. */
  async label(value: JsonValue, place: string): Promise<JsonValue> {
    if (typeof value === "string") {
      const spans = (await this.#detect(value)).filter(({ kind }) => kind !== "PERSON");
      for (const { text, kind } of spans) this.know(text, kind);
      return this.#replace(value, place, spans);
    }
    if (isArray(value)) return Promise.all(value.map((entry) => this.label(entry, place)));
    return isObject(value) ? this.object(value, place) : value;
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
    if (typeof value === "string") return this.#clean(value, place);
    if (typeof value === "number") {
      const digits = String(value);
      const swept = digits.length < MIN_DIGITS ? digits : this.#clean(digits, place);
      return swept === digits ? value : swept;
    }
    if (isArray(value)) return value.map((entry) => this.sweep(entry, place));
    if (!isObject(value)) return value;
    const members = Object.entries(value).map(([name, inner]) => [
      this.#clean(name, place),
      this.sweep(inner, place),
    ]);
    return Object.fromEntries(members);
  }

  #clean(text: string, place: string): string {
    const spans = this.#known.find(text);
    return spans.length === 0 ? text : this.#replace(text, place, spans);
  }

  #replace(text: string, place: string, spans: readonly Omit<PiiFinding, "place">[]): string {
    for (const { kind, start, end } of spans) this.findings.push({ place, kind, start, end });
    return replacePii(text, spans);
  }

  async #detect(text: string): Promise<readonly PiiSpan[]> {
    if (!/[\p{L}\p{N}]{2}|@/u.test(text)) return [];
    const known = this.#seen.get(text);
    if (known !== undefined) return known;
    const named = findKnownNames(text, this.#names);
    const spans = resolveSpans(text, [...named, ...(await this.#detector(text))]);
    if (text.length < 1000) this.#seen.set(text, spans);
    return spans;
  }
}
