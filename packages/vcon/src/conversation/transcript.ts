import { parseDate } from "../document/dates.ts";
import { isArray, member, objectsMember, stringMember } from "../document/json.ts";
import { channelParties, dialogParties, originatorOf, partyLabels } from "../document/parties.ts";
import type { JsonObject } from "../document/types.ts";
import { messageText } from "./message-text.ts";
import {
  type ParsedTranscript,
  parseTranscript,
  type Speaker,
  type TurnSource,
  type Utterance,
} from "./transcript-formats.ts";

/** The label of a turn of which nobody knows whose it is. */
export const UNKNOWN_SPEAKER = "Unknown";

/** Something that one party said or wrote without a break. */
export interface Turn {
  /** Milliseconds since 1970; undefined when the dialog's start or the place within it is not known. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** Seconds of speech; undefined for written text and for transcripts without times. */
  readonly duration: number | undefined;
  /** Index into `parties`; undefined when the speaker cannot be told or is none of them. */
  readonly party: number | undefined;
  /** The party's name or address, else what the transcript calls the speaker ("Speaker 3"), else "Unknown". */
  readonly partyLabel: string;
  readonly text: string;
  /** Index into `dialog`; undefined for a transcript that belongs to no dialog. */
  readonly dialog: number | undefined;
  readonly source: TurnSource;
}

/**
 * Everything that was said and written in a conversation, in order of time; what has no time stays where it stands.
 *
 * Reads text dialogs (plain, HTML, multipart) and the transcripts of other dialogs: Deepgram, Whisper, OpenAI, World
 * Transcription Format, plain text, and lists of `{party, start, duration, text}`. Of several transcripts of one dialog
 * only the best counts: times and speakers beat times alone, then speakers, then text; of equals the latest added.
 * Expects the names of version 0.4.0 (see `migrate`) and never throws; what it does not understand gives no turns.
 */
export function transcript(vcon: JsonObject): readonly Turn[] {
  const dialogs = objectsMember(vcon, "dialog");
  const labels = partyLabels(vcon);
  const everyone = [...labels.keys()];
  const best = bestTranscripts(vcon, dialogs);
  const orphans = best.get(undefined);
  const turns = dialogs.flatMap((dialog, index) => {
    if (isText(dialog)) return textTurn(labels, { dialog, index });
    const parsed = best.get(index);
    return parsed === undefined ? [] : spokenTurns(parsed, { dialog, index, labels, everyone });
  });
  if (orphans === undefined) return inOrderOfTime(turns);
  const rest = spokenTurns(orphans, { dialog: {}, index: undefined, labels, everyone });
  return inOrderOfTime([...turns, ...rest]);
}

function isText(dialog: JsonObject): boolean {
  const type = stringMember(dialog, "type");
  return (
    type === "text" ||
    (type === undefined && /^(?:text|multipart)\//i.test(stringMember(dialog, "mediatype") ?? ""))
  );
}

function textTurn(
  labels: readonly string[],
  { dialog, index }: { readonly dialog: JsonObject; readonly index: number },
): Turn[] {
  const text = messageText(dialog);
  if (text === undefined || text === "") return [];
  const start = parseDate(member(dialog, "start"));
  const party = originatorOf(dialog);
  const label = party === undefined ? UNKNOWN_SPEAKER : labelOf(party, labels);
  return [
    {
      start,
      end: start,
      duration: undefined,
      party,
      partyLabel: label,
      text,
      dialog: index,
      source: "dialog",
    },
  ];
}

function labelOf(party: number, labels: readonly string[]): string {
  return labels[party] ?? `Party ${party + 1}`;
}

/* Choosing transcripts */

function bestTranscripts(
  vcon: JsonObject,
  dialogs: readonly JsonObject[],
): ReadonlyMap<number | undefined, ParsedTranscript> {
  const best = new Map<number | undefined, ParsedTranscript>();
  for (const analysis of objectsMember(vcon, "analysis")) {
    const type = stringMember(analysis, "type");
    if (type !== "transcript" && type !== "wtf_transcription") continue;
    const parsed = parseTranscript(analysis);
    const index = dialogOf(analysis, dialogs);
    const rival = best.get(index);
    if (rival === undefined || worth(parsed) >= worth(rival)) best.set(index, parsed);
  }
  return best;
}

function worth({ utterances }: ParsedTranscript): number {
  if (utterances.length === 0) return 0;
  const times = utterances.some(({ from, at }) => from !== undefined || at !== undefined);
  return 1 + (times ? 2 : 0) + (utterances.some(({ speaker }) => speaker !== undefined) ? 1 : 0);
}

/** Old files do not say which dialog a transcript is of; with a single dialog that is clear anyway. */
function dialogOf(analysis: JsonObject, dialogs: readonly JsonObject[]): number | undefined {
  const given = member(analysis, "dialog");
  const index = isArray(given) ? given[0] : given;
  if (typeof index === "number" && index in dialogs) return index;
  return dialogs.length === 1 ? 0 : undefined;
}

/* Turning utterances into turns */

interface Setting {
  readonly dialog: JsonObject;
  readonly index: number | undefined;
  readonly labels: readonly string[];
  /** All party indices: a dialog that does not say who takes part may be anyone's. */
  readonly everyone: readonly number[];
}

function spokenTurns(parsed: ParsedTranscript, { dialog, index, labels, everyone }: Setting): Turn[] {
  const base = parseDate(member(dialog, "start"));
  const present = dialogParties(dialog);
  const order = present.length > 0 ? present : everyone;
  const byName = new Map(order.map((party) => [labelOf(party, labels).toLowerCase(), party]));
  const seating = { order, byName, channels: channelParties(dialog) };
  return parsed.utterances.map((utterance) => {
    const party = partyOf(utterance.speaker, seating);
    return {
      ...timesOf(utterance, base),
      party,
      partyLabel: party === undefined ? voiceLabel(utterance.speaker) : labelOf(party, labels),
      text: utterance.text,
      dialog: index,
      source: parsed.source,
    };
  });
}

function timesOf(
  { from, to, at }: Utterance,
  base: number | undefined,
): Pick<Turn, "start" | "end" | "duration"> {
  const origin = at ?? base;
  const place = (seconds: number | undefined) =>
    origin === undefined || seconds === undefined ? undefined : Math.round(origin + seconds * 1000);
  const duration = from === undefined || to === undefined ? undefined : Math.round((to - from) * 1000) / 1000;
  return { start: place(from), end: place(to), duration };
}

interface Seating {
  /** Parties in the order in which voices are numbered. */
  readonly order: readonly number[];
  readonly byName: ReadonlyMap<string, number>;
  readonly channels: readonly (number | undefined)[];
}

function partyOf(speaker: Speaker | undefined, { order, byName, channels }: Seating): number | undefined {
  if (speaker === undefined) return order.length === 1 ? order[0] : undefined;
  if (speaker.kind === "party") return speaker.index;
  if (speaker.kind === "channel") return channels[speaker.channel] ?? order[speaker.channel];
  if (typeof speaker.voice === "number") return order[speaker.voice];
  const name = speaker.voice.toLowerCase();
  return byName.get(name) ?? order[numberIn(name) ?? -1];
}

/** "speaker_1", "SPEAKER 01" and "1" are voice 1; "A" is voice 0. */
function numberIn(voice: string): number | undefined {
  const digits = /^(?:speaker|spk)?[ _-]?(\d{1,4})$/.exec(voice)?.[1];
  if (digits !== undefined) return Number(digits);
  return /^[a-z]$/.test(voice) ? voice.charCodeAt(0) - "a".charCodeAt(0) : undefined;
}

function voiceLabel(speaker: Speaker | undefined): string {
  if (speaker === undefined) return UNKNOWN_SPEAKER;
  if (speaker.kind === "party") return `Party ${speaker.index + 1}`;
  if (speaker.kind === "channel") return `Channel ${speaker.channel}`;
  return typeof speaker.voice === "number" ? `Speaker ${speaker.voice}` : speaker.voice;
}

/** A turn without a time keeps its place after the one before it. */
function inOrderOfTime(turns: readonly Turn[]): readonly Turn[] {
  let time = Number.NEGATIVE_INFINITY;
  const placed = turns.map((turn) => {
    time = turn.start ?? time;
    return { turn, time };
  });
  return placed.sort((a, b) => (a.time === b.time ? 0 : a.time - b.time)).map(({ turn }) => turn);
}
