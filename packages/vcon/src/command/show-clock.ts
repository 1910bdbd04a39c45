import { VconError } from "../document/errors.ts";

/** Times of day in one zone; all take milliseconds since 1970. */
export interface Clock {
  /** "2026-04-21" */
  date(time: number): string;
  /** "09:02:11" */
  time(time: number): string;
  /** "UTC", "GMT+2" */
  zone(time: number): string;
  /** "Tue 21 Apr 2026" */
  day(time: number): string;
}

/** @throws VconError invalid_option for a zone that is not known */
export function clockIn(timeZone: string): Clock {
  const parts = formatIn(timeZone);
  return {
    date: (time) => {
      const { year, month, day } = parts(time);
      return `${year}-${month}-${day}`;
    },
    time: (time) => {
      const { hour, minute, second } = parts(time);
      return `${hour}:${minute}:${second}`;
    },
    zone: (time) => parts(time).timeZoneName ?? timeZone,
    day: (time) => {
      const { year, month, day, weekday } = parts(time);
      return `${weekday} ${Number(day)} ${months[Number(month) - 1]} ${year}`;
    },
  };
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

type Parts = Partial<Record<Intl.DateTimeFormatPartTypes, string>>;

function formatIn(timeZone: string): (time: number) => Parts {
  const two = "2-digit";
  try {
    const format = new Intl.DateTimeFormat("en", {
      timeZone,
      hourCycle: "h23",
      weekday: "short",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
      timeZoneName: "short",
    });
    return (time) =>
      Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value] as const));
  } catch (cause) {
    const message = `${JSON.stringify(timeZone.slice(0, 60))} is not a time zone. Give a name such as Europe/Berlin or UTC.`;
    throw new VconError("invalid_option", message, { cause });
  }
}
