import { readable } from "../document/parties.ts";
import type { ChatMessage } from "./chat-messages.ts";
import { fromWall, type Zone } from "./wall-clock.ts";

/** Which number of a date such as 03/04/2026 is the day. */
export type DateOrder = "dmy" | "mdy";

const STAMP =
  /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\.?,?\s(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:\s?([ap])\.?\s?m\.?)?$/iu;
const LONGEST_STAMP = 40;
/** Marks of direction, which iOS puts before what it writes itself. */
const MARKS = /[\u200e\u200f\u202a-\u202e]/g;

interface Stamped {
  /** The three numbers of the date, in the order of the file. */
  readonly date: readonly [number, number, number];
  readonly separator: string;
  /** Milliseconds since midnight. */
  readonly time: number;
  readonly twelveHours: boolean;
  readonly rest: string[];
}

export function looksLikeWhatsApp(text: string): boolean {
  return text.split("\n", 30).some((line) => stamped(line) !== undefined);
}

/**
 * The messages of a WhatsApp text export. Lines of the system, which name no sender, are left out.
 *
 * @param order Default: what the dates themselves tell, else day first
 */
export function readWhatsApp(
  text: string,
  { zone, order }: { readonly zone: Zone; readonly order?: DateOrder | undefined },
): readonly ChatMessage[] {
  const entries: Stamped[] = [];
  for (const line of text.split(/\r?\n/)) {
    const entry = stamped(line);
    if (entry !== undefined) entries.push(entry);
    else entries.at(-1)?.rest.push(line.replace(MARKS, ""));
  }
  const days = orderOf(entries, order);
  return entries.flatMap((entry) => {
    const [head = "", ...more] = entry.rest;
    const colon = head.indexOf(": ");
    const sender = readable(head.slice(0, colon).replace(MARKS, "").replace(/^~\s*/u, ""));
    const body = head.slice(colon + 2);
    if (colon < 0 || sender === "" || isSystem(body)) return [];
    const wall = dayOf(entry, days) + entry.time;
    const said = [body.replace(MARKS, ""), ...more].join("\n").trimEnd();
    return said === ""
      ? []
      : [{ at: Number.isNaN(wall) ? undefined : fromWall(wall, zone), sender, text: said }];
  });
}

/** On iOS the system speaks in the name of the group, and marks it as it marks what stands for a picture. */
function isSystem(body: string): boolean {
  return /^\u200e/.test(body) && !/omitted|attached|weggelassen|omis|omitid|<[^<>]*>/i.test(body);
}

/** Android writes `04/03/2026, 10:15 - Ann: text`, iOS `[04/03/2026, 10:15:03] Ann: text`. */
function stamped(line: string): Stamped | undefined {
  const clean = line.replace(/^[\u200e\u200f\ufeff]+/, "");
  const [open, close] = clean.startsWith("[")
    ? [1, "] "]
    : [0, / [-–] /.exec(clean.slice(0, LONGEST_STAMP))?.[0]];
  const end = close === undefined ? -1 : clean.slice(0, LONGEST_STAMP).indexOf(close);
  const match = end < 0 || close === undefined ? null : STAMP.exec(clean.slice(open, end));
  if (match === null || close === undefined) return undefined;
  const [, a, separator = "", b, c, hours, minutes, seconds = "0", half] = match;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (/p/i.test(half) ? 12 : 0);
  return {
    date: [Number(a), Number(b), Number(c)],
    separator,
    time: ((hour * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000,
    twelveHours: half !== undefined,
    rest: [clean.slice(end + close.length)],
  };
}

/** A year with four digits at the front, or else day and month in the order that fits all dates and runs forward. */
function orderOf(entries: readonly Stamped[], given: DateOrder | undefined): DateOrder {
  if (given !== undefined) return given;
  if (entries.some(({ date: [first] }) => first > 12 && first < 32)) return "dmy";
  if (entries.some(({ date: [, second] }) => second > 12)) return "mdy";
  const steps = (order: DateOrder) =>
    entries.filter((entry, i) => i > 0 && dayOf(entry, order) < dayOf(entries[i - 1] ?? entry, order)).length;
  const [dmy, mdy] = [steps("dmy"), steps("mdy")];
  if (dmy !== mdy) return dmy < mdy ? "dmy" : "mdy";
  const american = entries.some(({ twelveHours, separator }) => twelveHours && separator === "/");
  return american ? "mdy" : "dmy";
}

/** Midnight of the day as if it were UTC, or NaN. */
function dayOf({ date: [a, b, c] }: Stamped, order: DateOrder): number {
  const [year, month, day] = a > 31 ? [a, b, c] : order === "dmy" ? [c, b, a] : [c, a, b];
  const full = year < 100 ? 2000 + year : year;
  const time = Date.UTC(full, month - 1, day);
  const valid = new Date(time).getUTCMonth() === month - 1 && full >= 1000 && full <= 9999;
  return valid ? time : Number.NaN;
}
