import type { JsonValue } from "./types.ts";

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?\s?([Zz]|[+-]\d\d:?\d\d)?$/;
const MAIL =
  /^(?:[A-Za-z]{3},\s?)?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(?::\d\d)?( (?:[+-]\d{4}|[A-Z]{1,4}))?$/;
/** Numbers below this are seconds since 1970 (up to the year 5138), above it milliseconds. */
const SECONDS_LIMIT = 1e11;
const FIRST = Date.UTC(1000, 0, 1);
const LAST = Date.UTC(9999, 11, 31);

/**
 * The time that a member gives, in milliseconds since 1970, or undefined. Reads RFC 3339 with any offset and fraction,
 * the same without seconds or zone (taken as UTC), e-mail dates, and numbers (seconds or milliseconds).
 */
export function parseDate(value: JsonValue | undefined): number | undefined {
  const time =
    typeof value === "number"
      ? fromNumber(value)
      : typeof value === "string"
        ? fromText(value.trim())
        : Number.NaN;
  return time >= FIRST && time <= LAST ? time : undefined;
}

function fromNumber(value: number): number {
  return value <= 0 ? Number.NaN : Math.round(value < SECONDS_LIMIT ? value * 1000 : value);
}

function fromText(text: string): number {
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, date, time = "00:00", seconds = "00", fraction = "", zone = "Z"] = iso;
    const offset = /^z$/i.test(zone) ? "Z" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
    return Date.parse(`${date}T${time}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`);
  }
  const mail = MAIL.exec(text);
  if (mail === null) return Number.NaN;
  return Date.parse(mail[1] === undefined ? `${text} UTC` : text);
}

/** Thirty years: no recording is longer, and sums stay exact. */
const LONGEST_SECONDS = 1e9;

/** A duration, or a place within a recording, in seconds; undefined when it cannot be one. */
export function plausibleSeconds(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && value >= 0 && value <= LONGEST_SECONDS ? value : undefined;
}

/** The way the reference writes dates: `2026-03-04T05:06:07.890+00:00`. */
export function formatDate(time: number): string {
  return new Date(time).toISOString().replace("Z", "+00:00");
}

/** The way the draft wants dates (the profile of JMAP): `2026-03-04T05:06:07Z`, with a fraction only where there is one. */
export function writeDate(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}
