import { InvalidValue, type Kind } from "./setting.ts";

const booleans = new Map<string, boolean>([
  ...["true", "t", "yes", "y", "on", "1"].map((word) => [word, true] as const),
  ...["false", "f", "no", "n", "off", "0"].map((word) => [word, false] as const),
]);

const booleanLabel = "true or false (or yes/no, on/off, t/f, y/n, 1/0)";

export const boolean: Kind<boolean> = {
  label: booleanLabel,
  parse(text) {
    const value = booleans.get(text.toLowerCase());
    if (value === undefined) throw new InvalidValue(`must be ${booleanLabel}`);
    return value;
  },
  plain: (value) => value,
};

/** @param range bounds are inclusive */
export function integer(range: { readonly min: number; readonly max?: number }): Kind<number> {
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  const label = range.max === undefined ? `an integer, ${min} or more` : `an integer, ${min} to ${max}`;
  return {
    label,
    parse(text) {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(value) || value < min || value > max)
        throw new InvalidValue(`must be ${label}`);
      return value;
    },
    plain: (value) => value,
  };
}

/** A length of time, fractions allowed. @param max the longest, inclusive */
export function seconds(max: number): Kind<number> {
  const label = `a number of seconds, more than 0, at most ${max}`;
  return {
    label,
    parse(text) {
      const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!(value > 0 && value <= max)) throw new InvalidValue(`must be ${label}`);
      return value;
    },
    plain: (value) => value,
  };
}

const byteUnits = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
]);

/** A size in bytes, as a number or with a unit: 67108864, 64MiB, 10MB. @param range bytes, inclusive */
export function bytes(range: {
  readonly min: number;
  readonly max: number;
  readonly words: string;
}): Kind<number> {
  const label = `a size in bytes, or with a unit (10MB, 64MiB), ${range.words}`;
  return {
    label,
    parse(text) {
      const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
      const value = Math.floor(Number(digits) * (byteUnits.get(unit.toLowerCase()) ?? Number.NaN));
      if (!(value >= range.min && value <= range.max)) throw new InvalidValue(`must be ${label}`);
      return value;
    },
    plain: (value) => value,
  };
}

/** One of a few words, in any case. @param words what may be written → what it means */
export function choice<const Value extends string>(words: Readonly<Record<string, Value>>): Kind<Value> {
  const label = `one of ${Object.keys(words).join(", ")} (any case)`;
  return {
    label,
    parse(text) {
      const value = Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined;
      if (value === undefined) throw new InvalidValue(`must be ${label}`);
      return value;
    },
    plain: (value) => value,
  };
}

/** Any text. */
export const text: Kind<string> = {
  label: "a text",
  parse: (given) => given,
  plain: (value) => value,
};

/** A text that nobody may see. */
export const secret: Kind<string> = {
  label: "a text, kept secret",
  parse: (text) => text,
  plain: () => masked,
  mask: () => masked,
};

const masked = "***";

/** A value that may be missing: an empty text is `undefined`. */
export function optional<Value>(kind: Kind<Value>): Kind<Value | undefined> {
  return {
    ...kind,
    parse: (text, surroundings) => (text === "" ? undefined : kind.parse(text, surroundings)),
    plain: (value) => (value === undefined ? null : kind.plain(value)),
  };
}

/** Values separated by commas, with or without blanks; empty ones are passed over. */
export function list<Value>(kind: Kind<Value>, label: string): Kind<readonly Value[]> {
  return {
    label,
    parse: (text, surroundings) => splitList(text).map((item) => kind.parse(item, surroundings)),
    plain: (values) => values.map((value) => kind.plain(value)),
  };
}

export function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
