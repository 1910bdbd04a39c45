import { parseDate } from "../document/dates.ts";
import { VconError } from "../document/errors.ts";

/** Says how far a time zone is ahead of UTC, in milliseconds, at a moment. */
export type Zone = (moment: number) => number;

const FIRST = Date.UTC(1000, 0, 1);
const LAST = Date.UTC(9999, 11, 31);

/** A time that can be written as a date of RFC 3339, whose years have four digits; undefined for any other. */
export function calendarTime(time: number | undefined): number | undefined {
  return time !== undefined && time >= FIRST && time <= LAST ? time : undefined;
}

const MINUTE = 60_000;
/** No place on Earth is further from UTC. */
const FURTHEST = 14 * 60 * MINUTE;
const OFFSET = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?$/i;

/**
 * A time zone by its name ("Europe/Berlin"), its offset ("+01:00", "GMT-4") or "UTC".
 *
 * @throws VconError invalid_option it is neither
 */
export function zoneOf(timezone: string): Zone {
  if (/^(?:Z|UTC|GMT)$/i.test(timezone)) return () => 0;
  const offset = OFFSET.exec(timezone);
  if (offset !== null) {
    const ahead = aheadBy(offset);
    if (Math.abs(ahead) <= FURTHEST) return () => ahead;
    throw noZone(timezone);
  }
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, timeZoneName: "longOffset" });
    return (moment) => {
      const parts = format.formatToParts(calendarTime(moment) ?? 0);
      const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
      return aheadBy(OFFSET.exec(name) ?? []);
    };
  } catch (cause) {
    throw noZone(timezone, cause);
  }
}

function aheadBy([, sign, hours = "0", minutes = "0"]: readonly string[]): number {
  const ahead = (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return sign === "-" ? -ahead : ahead;
}

function noZone(timezone: string, cause?: unknown): VconError {
  return new VconError(
    "invalid_option",
    `${JSON.stringify(timezone)} is no time zone. Give a name such as Europe/Berlin, or an offset such as +01:00.`,
    { cause },
  );
}

/** The zone of the machine that runs this. */
export const machineZone: Zone = (moment) => -new Date(moment).getTimezoneOffset() * MINUTE;

/** The moment at which clocks in a zone show a time; `wall` is that time as if it were UTC. Milliseconds since 1970. */
export function fromWall(wall: number, zone: Zone): number {
  // Once more, since the first guess may lie on the other side of a change of the clocks.
  return wall - zone(wall - zone(wall));
}

const HAS_ZONE = /(?:z|[+-]\d\d:?\d\d| [a-z]{1,4})$/i;

/** Like `parseDate`, but a text without a zone is a time of the zone given. */
export function parseLocalDate(value: string | number, zone: Zone): number | undefined {
  const time = parseDate(value);
  const local = typeof value === "string" && !HAS_ZONE.test(value.trim());
  return time !== undefined && local ? fromWall(time, zone) : time;
}
