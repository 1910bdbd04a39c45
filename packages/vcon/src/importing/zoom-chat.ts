import type { ChatMessage } from "./chat-messages.ts";
import { fromWall, type Zone } from "./wall-clock.ts";

interface Said {
  /** Milliseconds since midnight, or since the recording began. */
  readonly clock: number;
  readonly sender: string;
  readonly text: string;
}

export interface ZoomClock {
  /** When the recording began and ended, in milliseconds since 1970. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly zone: Zone;
  /** The zone was given, and is not just the machine's. */
  readonly sure: boolean;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** People write before the recording begins, and after it. */
const TOLERANCE = 15 * 60_000;

/** "10:02:11 From Ann Lee to Everyone : text", or the text on the lines below. */
const SAVED = /^(\d{1,2}):(\d\d):(\d\d)[\t ]+From[\t ]+([^\t ].{0,400}?):(?:[\t ]|$)/i;
const RECEIVER = /[\t ]to[\t ]/i;
/** Of the cloud: "00:02:11<tab>Ann Lee:<tab>text", counted from the beginning of the recording. */
const CLOUD = /^(\d{1,2}):(\d\d):(\d\d)\t([^\t]{1,200}?):\t/;

/** Does it begin as a chat that Zoom has saved? */
export function looksLikeZoomChat(text: string): boolean {
  const [line = ""] = text.slice(0, 1000).split(/\r?\n/, 1);
  return SAVED.test(line);
}

/** The messages of a chat that Zoom has saved; none when it is no such chat. */
export function readZoomChat(text: string, clock: ZoomClock): readonly ChatMessage[] {
  const saved = linesOf(text, SAVED);
  if (saved.length > 0) return placed(saved, clock);
  return linesOf(text, CLOUD).map(({ clock: offset, sender, text: words }) => ({
    at: clock.start === undefined ? undefined : clock.start + offset,
    sender,
    text: words,
  }));
}

function linesOf(text: string, pattern: RegExp): readonly Said[] {
  const messages: { clock: number; sender: string; text: string }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const match = pattern.exec(line);
    const last = messages.at(-1);
    if (match !== null) {
      const [whole, hours, minutes, seconds, sender = ""] = match;
      const clock = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
      const name = sender.split(RECEIVER, 1)[0]?.trim() ?? "";
      messages.push({ clock, sender: name, text: line.slice(whole.length) });
    } else if (last !== undefined) last.text += `\n${line}`;
  }
  return messages
    .map((message) => ({ ...message, text: message.text.trim() }))
    .filter(({ text: words }) => words !== "");
}

/**
 * The messages in time: their clock has neither date nor zone. Where the zone is not given, and the chat would lie
 * outside the recording, whole hours are added until it fits.
 */
function placed(messages: readonly Said[], { start, end, zone, sure }: ZoomClock): readonly ChatMessage[] {
  if (start === undefined) return messages.map(({ sender, text }) => ({ at: undefined, sender, text }));
  const midnight = Math.floor((start + zone(start)) / DAY) * DAY;
  const first = fromWall(midnight + (messages[0]?.clock ?? 0), zone);
  const [from, to] = [start - TOLERANCE, (end ?? start) + TOLERANCE];
  const days = Math.round((start - first) / DAY) * DAY;
  const hours = Math.round((start - first) / HOUR) * HOUR;
  const fits = (shift: number) => first + shift >= from && first + shift <= to;
  // A zone an hour or more off; a long meeting may begin to chat late, so the machine's zone is tried first.
  const shift = !sure && !fits(days) && fits(hours) ? hours : days;
  let night = 0;
  let before = -1;
  return messages.map(({ clock, sender, text }) => {
    if (clock < before - HOUR) night += DAY;
    before = clock;
    return { at: fromWall(midnight + clock + night, zone) + shift, sender, text };
  });
}
