import { type Turn, transcript } from "../conversation/transcript.ts";
import { parseDate } from "../document/dates.ts";
import { member, objectsMember } from "../document/json.ts";
import type { JsonObject } from "../document/types.ts";
import type { Clock } from "./show-clock.ts";
import { offsetText } from "./show-figures.ts";
import type { Styles } from "./show-style.ts";
import { visible, visibleLines } from "./show-visible.ts";
import { clip, padEnd, widthOf, wrap } from "./show-width.ts";

export interface TimelineOptions {
  readonly width: number;
  readonly styles: Styles;
  readonly clock: Clock;
}

const MARGIN = "  ";
const GAP = "  ";
/** With fewer columns for the words, the speaker stands above them. */
const NARROWEST_WORDS = 30;
/** Longer lines are hard to read, however wide the window is. */
const WIDEST_WORDS = 100;
const WIDEST_SPEAKER = 24;
/** Longer than that, an offset says less than the time of day. */
const LONGEST_OFFSET_MS = 24 * 3600 * 1000;

/** A turn with what is shown of its time: a day heading above, when a day begins, and the column. */
interface Entry {
  readonly day: string | undefined;
  readonly time: string;
  readonly turn: Turn;
}

/**
 * All that was said and written, complete, in order of time. A recording counts from its beginning; messages, and
 * whatever goes on for more than a day, have the time of day under headings for the days.
 */
export function timeline(vcon: JsonObject, { width, styles, clock }: TimelineOptions): readonly string[] {
  const turns = transcript(vcon);
  const entries = offsets(turns, vcon) ?? daytimes(turns, clock);
  const labels = new Map(turns.map(({ partyLabel }) => [partyLabel, visible(partyLabel)]));
  const order = new Map([...labels.keys()].map((label, index) => [label, index]));
  const timeRoom = longest(entries.map(({ time }) => time.length));
  const speakerRoom = Math.min(
    longest([...labels.values()].map(widthOf)),
    WIDEST_SPEAKER,
    Math.floor(width * 0.3),
  );
  const wordsAt = MARGIN.length + timeRoom + GAP.length + speakerRoom + GAP.length;
  const stacked = width - wordsAt < NARROWEST_WORDS;
  const airy = stacked || turns.some(({ text }) => /\n\s*\n/.test(text));
  const indent = stacked ? MARGIN + GAP : " ".repeat(wordsAt);
  const lines: string[] = [];
  let before: Turn | undefined;
  for (const { day, time, turn } of entries) {
    if (day !== undefined) {
      if (before !== undefined) lines.push("");
      lines.push(MARGIN + styles.dim(day));
    }
    const sameSpeaker = day === undefined && before?.partyLabel === turn.partyLabel && !airy;
    if (airy && before !== undefined && day === undefined) lines.push("");
    const words = fill(turn.text, Math.min(width - indent.length, WIDEST_WORDS));
    const speaker = sameSpeaker ? "" : (labels.get(turn.partyLabel) ?? "");
    const shown = stacked
      ? clip(speaker, width - MARGIN.length - timeRoom - GAP.length)
      : clip(speaker, speakerRoom);
    const who = styles.speaker(order.get(turn.partyLabel) ?? 0)(stacked ? shown : padEnd(shown, speakerRoom));
    const head = MARGIN + styles.dim(time.padStart(timeRoom)) + GAP + who;
    if (stacked) lines.push(head, ...words.map((line) => line && indent + line));
    else lines.push(head + GAP + (words[0] ?? ""), ...words.slice(1).map((line) => line && indent + line));
    before = turn;
  }
  return lines;
}

/** Lines of a text; empty ones stay between paragraphs, one at a time. */
function fill(text: string, width: number): readonly string[] {
  const lines = visibleLines(text);
  return lines
    .filter((line, index) => line !== "" || (index > 0 && lines[index - 1] !== ""))
    .flatMap((line) => wrap(line, width));
}

/** Times since the beginning; undefined unless all is speech, and within a day. */
function offsets(turns: readonly Turn[], vcon: JsonObject): readonly Entry[] | undefined {
  const dialogs = objectsMember(vcon, "dialog");
  if (turns.some(({ source }) => source === "dialog")) return undefined;
  const starts = turns.flatMap(({ start, dialog }) => {
    const own = parseDate(member(dialogs[dialog ?? -1] ?? {}, "start"));
    return [start, start === undefined ? undefined : own].filter((time) => time !== undefined);
  });
  const first = starts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const last = starts.reduce((a, b) => Math.max(a, b), first);
  if (last - first > LONGEST_OFFSET_MS) return undefined;
  return turns.map((turn) => ({
    day: undefined,
    time: turn.start === undefined ? "" : offsetText(turn.start - first),
    turn,
  }));
}

function daytimes(turns: readonly Turn[], clock: Clock): readonly Entry[] {
  const written = turns.every(({ source }) => source === "dialog");
  let today: string | undefined;
  return turns.map((turn) => {
    if (turn.start === undefined) return { day: undefined, time: "", turn };
    const day = `${clock.day(turn.start)}, ${clock.zone(turn.start)}`;
    const isNew = day !== today;
    today = day;
    // Nobody writes by the second.
    const time = clock.time(turn.start).slice(0, written ? 5 : 8);
    return { day: isNew ? day : undefined, time, turn };
  });
}

function longest(lengths: readonly number[]): number {
  return lengths.reduce((a, b) => Math.max(a, b), 0);
}
