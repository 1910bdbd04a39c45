import { parseDate, plausibleSeconds } from "../document/dates.ts";
import { member, objectsMember, stringMember } from "../document/json.ts";
import { partyLabels } from "../document/parties.ts";
import type { JsonObject } from "../document/types.ts";
import { type Run, runsOf, type SpeakerKey, speakerKey } from "./runs.ts";
import { countSpeech } from "./speech-overlap.ts";
import { type Turn, transcript } from "./transcript.ts";

export interface PartyStats {
  /** Index into `parties`; null for a speaker whom the transcript does not tie to a party. */
  readonly party: number | null;
  readonly name: string;
  /** Stretches in which this one spoke or wrote with nobody between. Of unknown speakers each utterance counts. */
  readonly turns: number;
  readonly words: number;
  /** Seconds of speech; null when nothing of theirs has times. */
  readonly talk_seconds: number | null;
  /** The longest turn, from its first word to its last; null when no turn of theirs has times. */
  readonly longest_monologue_seconds: number | null;
  /** The most words in one turn. */
  readonly longest_monologue_words: number;
  /** Median of the time from the end of somebody else's turn to the start of theirs (0 when they cut in); null if none. */
  readonly median_response_seconds: number | null;
}

export interface ConversationTotals {
  readonly turns: number;
  readonly words: number;
  /** From the first start to the last end, over all dialogs; null when nothing has a time. */
  readonly duration_seconds: number | null;
  /** How often, and for how many seconds in all, two or more spoke at once; null without speech that has times. */
  readonly overlaps: number | null;
  readonly overlap_seconds: number | null;
  /** Seconds in which nobody spoke, between the first and the last word of each recording; null likewise. */
  readonly silence_seconds: number | null;
}

/** Figures about one conversation. Seconds are rounded to milliseconds. `conversationStatsSchema` is its JSON Schema. */
export interface ConversationStats {
  /** Every party in the order of the vCon, also silent ones, then speakers who are none of them. */
  readonly parties: readonly PartyStats[];
  readonly totals: ConversationTotals;
  /** Number of dialogs, and of those with words that could be read. */
  readonly dialogs: { readonly total: number; readonly with_text: number };
}

/**
 * Counts who said how much, from the turns that `transcript` finds. Pure: the same vCon always gives the same figures.
 * A word is anything between spaces that has a letter or a digit.
 */
export function conversationStats(vcon: JsonObject): ConversationStats {
  const turns = transcript(vcon);
  const runs = runsOf(turns);
  const runsBy = Map.groupBy(runs, (run) => run.key);
  const dialogs = objectsMember(vcon, "dialog");
  const speakers = new Map<SpeakerKey, Pick<PartyStats, "party" | "name">>();
  for (const [party, name] of partyLabels(vcon).entries()) speakers.set(party, { party, name });
  for (const turn of turns) {
    const key = speakerKey(turn);
    if (!speakers.has(key)) speakers.set(key, { party: turn.party ?? null, name: turn.partyLabel });
  }
  return {
    parties: [...speakers].map(([key, who]) => ({
      ...who,
      ...speakerStats(runsBy.get(key) ?? []),
    })),
    totals: {
      turns: runs.length,
      words: sum(runs.map((run) => run.words)),
      duration_seconds: duration(dialogs, turns),
      ...countSpeech(turns),
    },
    dialogs: { total: dialogs.length, with_text: new Set(turns.map((turn) => turn.dialog)).size },
  };
}

function speakerStats(runs: readonly Run[]): Omit<PartyStats, "party" | "name"> {
  const talk = runs.map((run) => run.speech).filter((seconds) => seconds !== undefined);
  const lengths = runs.map((run) => run.length).filter((seconds) => seconds !== undefined);
  const responses = runs.map((run) => run.response).filter((seconds) => seconds !== undefined);
  const words = runs.map((run) => run.words);
  return {
    turns: runs.length,
    words: sum(words),
    talk_seconds: talk.length === 0 ? null : milliseconds(sum(talk)),
    longest_monologue_seconds: lengths.length === 0 ? null : milliseconds(largest(lengths)),
    longest_monologue_words: largest(words),
    median_response_seconds: median(responses),
  };
}

function duration(dialogs: readonly JsonObject[], turns: readonly Turn[]): number | null {
  const times: number[] = turns
    .flatMap(({ start, end }) => [start, end])
    .filter((time) => time !== undefined);
  for (const dialog of dialogs) {
    const start = parseDate(member(dialog, "start"));
    const counts = ["recording", "text"].includes(stringMember(dialog, "type") ?? "");
    const seconds = plausibleSeconds(member(dialog, "duration")) ?? 0;
    if (start !== undefined && counts) times.push(start, start + seconds * 1000);
  }
  if (times.length === 0) return null;
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  return milliseconds((last - first) / 1000);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : milliseconds((lower + upper) / 2);
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
