import { parseDate, plausibleSeconds } from "../document/dates.ts";
import {
  isArray,
  isObject,
  member,
  numberMember,
  objectMember,
  objectsMember,
  parseJson,
  stringMember,
} from "../document/json.ts";
import { isPartyIndex } from "../document/parties.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";

/** Where the words of a turn come from: a text dialog, or a transcript in one of the formats that are understood. */
export type TurnSource = "dialog" | "deepgram" | "whisper" | "openai" | "wtf" | "list" | "text";

/** Who speaks, as the format says it: a party's index, a channel's number, or whatever its diarisation calls them. */
export type Speaker =
  | { readonly kind: "party"; readonly index: number }
  | { readonly kind: "channel"; readonly channel: number }
  | { readonly kind: "voice"; readonly voice: number | string };

export interface Utterance {
  readonly speaker: Speaker | undefined;
  readonly text: string;
  /** Seconds from the start of the dialog. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Milliseconds since 1970, for formats that give the time of day. */
  readonly at: number | undefined;
}

export interface ParsedTranscript {
  readonly source: TurnSource;
  readonly utterances: readonly Utterance[];
}

/** Reads the body of a transcript analysis, whichever format it is in; no utterances when it is none that is known. */
export function parseTranscript(analysis: JsonObject): ParsedTranscript {
  const body = member(analysis, "body") ?? null;
  if (typeof body !== "string") return fromValue(body);
  const value = /^\s*[[{]/.test(body) ? parseJson(body) : undefined;
  if (isObject(value) || isArray(value)) return fromValue(value);
  // Subtitles repeat what the same engine gives as JSON, and their markup is not text.
  const subtitles = /^\s*(?:WEBVTT|\[Script Info\]|\d+\s*\n\d\d:\d\d:)/.test(body);
  return { source: "text", utterances: subtitles ? [] : plain(body) };
}

function fromValue(body: JsonValue): ParsedTranscript {
  if (isArray(body)) return { source: "list", utterances: body.filter(isObject).flatMap(fromListEntry) };
  if (!isObject(body)) return { source: "text", utterances: [] };
  const results = objectMember(body, "results");
  if (results !== undefined) return { source: "deepgram", utterances: fromChannels(results) };
  const segments = objectsMember(body, "segments");
  if (isObject(member(body, "transcript"))) return { source: "wtf", utterances: fromWtf(body, segments) };
  if (segments.length > 0) {
    const source = Object.hasOwn(body, "task") ? "openai" : "whisper";
    return { source, utterances: segments.flatMap((segment) => fromSegment(segment)) };
  }
  if (isObject(member(body, "paragraphs")) || isArray(member(body, "words"))) {
    return { source: "deepgram", utterances: fromAlternative(body) };
  }
  return {
    source: "text",
    utterances: plain(stringMember(body, "text") ?? stringMember(body, "transcript") ?? ""),
  };
}

function plain(text: string): readonly Utterance[] {
  const clean = text.trim();
  return clean === ""
    ? []
    : [{ speaker: undefined, text: clean, from: undefined, to: undefined, at: undefined }];
}

/** With several channels each party has one of them; with one channel, diarisation tells the voices apart. */
function fromChannels(results: JsonObject): readonly Utterance[] {
  const channels = objectsMember(results, "channels");
  return channels.flatMap((channel, index) => {
    const utterances = fromAlternative(objectsMember(channel, "alternatives")[0] ?? {});
    if (channels.length === 1) return utterances;
    return utterances.map((utterance) => ({
      ...utterance,
      speaker: { kind: "channel", channel: index } as const,
    }));
  });
}

function fromAlternative(alternative: JsonObject): readonly Utterance[] {
  const paragraphs = objectsMember(objectMember(alternative, "paragraphs") ?? {}, "paragraphs");
  const spoken = paragraphs.flatMap((paragraph) => {
    const sentences = objectsMember(paragraph, "sentences").map(
      (sentence) => stringMember(sentence, "text") ?? "",
    );
    return timed(paragraph, { text: sentences.join(" "), speaker: voiceOf(paragraph) });
  });
  if (spoken.length > 0) return spoken;
  const words = groupWords(objectsMember(alternative, "words"));
  return words.length > 0 ? words : plain(stringMember(alternative, "transcript") ?? "");
}

/** A pause, in seconds, that ends an utterance though the same voice goes on. */
const PAUSE = 2;

function groupWords(words: readonly JsonObject[]): readonly Utterance[] {
  const groups: JsonObject[][] = [];
  let previous: JsonObject = {};
  for (const word of words) {
    const gap = (numberMember(word, "start") ?? 0) - (numberMember(previous, "end") ?? 0);
    const sameVoice = member(word, "speaker") === member(previous, "speaker");
    const group = groups.at(-1);
    if (group !== undefined && sameVoice && gap < PAUSE) group.push(word);
    else groups.push([word]);
    previous = word;
  }
  return groups.flatMap((group) => {
    const text = group
      .map((word) => stringMember(word, "punctuated_word") ?? stringMember(word, "word") ?? "")
      .join(" ");
    const start = numberMember(group[0] ?? {}, "start");
    const end = numberMember(group.at(-1) ?? {}, "end");
    return utterance({ text, speaker: voiceOf(group[0] ?? {}), from: start, to: end });
  });
}

function fromSegment(segment: JsonObject): readonly Utterance[] {
  return timed(segment, { text: stringMember(segment, "text") ?? "", speaker: voiceOf(segment) });
}

/** In the World Transcription Format `speakers` may say more about each voice, such as a label that is a name. */
function fromWtf(body: JsonObject, segments: readonly JsonObject[]): readonly Utterance[] {
  const speakers = objectMember(body, "speakers") ?? {};
  if (segments.length === 0) return plain(stringMember(objectMember(body, "transcript") ?? {}, "text") ?? "");
  return segments.flatMap((segment) => {
    const id = member(segment, "speaker");
    const known = typeof id === "string" || typeof id === "number" ? member(speakers, String(id)) : undefined;
    const label = isObject(known) ? (stringMember(known, "label") ?? stringMember(known, "name")) : known;
    const speaker =
      typeof label === "string" && label !== ""
        ? ({ kind: "voice", voice: label } as const)
        : voiceOf(segment);
    return timed(segment, { text: stringMember(segment, "text") ?? "", speaker });
  });
}

/** Our own list: `[{ party | parties | speaker, start, duration | end, text }]`, as the reference's filters write it. */
function fromListEntry(entry: JsonObject): readonly Utterance[] {
  const start = member(entry, "start");
  const at = typeof start === "string" ? parseDate(start) : undefined;
  const from = at === undefined ? numberMember(entry, "start") : 0;
  const duration = numberMember(entry, "duration") ?? untilEnd(entry, at ?? (from ?? 0) * 1000);
  const parties = member(entry, "party") ?? member(entry, "parties");
  const index = isArray(parties) ? parties[0] : parties;
  const speaker = isPartyIndex(index) ? ({ kind: "party", index } as const) : voiceOf(entry);
  const to = from === undefined || duration === undefined ? undefined : from + duration;
  return utterance({ text: stringMember(entry, "text") ?? "", speaker, from, to, at });
}

function untilEnd(entry: JsonObject, startMs: number): number | undefined {
  const end = member(entry, "end");
  const endMs = typeof end === "number" ? end * 1000 : parseDate(end);
  return endMs === undefined ? undefined : (endMs - startMs) / 1000;
}

function voiceOf(entry: JsonObject): Speaker | undefined {
  const voice = member(entry, "speaker");
  if (typeof voice === "number") return { kind: "voice", voice };
  return typeof voice === "string" && voice.trim() !== ""
    ? { kind: "voice", voice: voice.trim() }
    : undefined;
}

function timed(
  entry: JsonObject,
  words: { readonly text: string; readonly speaker: Speaker | undefined },
): readonly Utterance[] {
  return utterance({ ...words, from: numberMember(entry, "start"), to: numberMember(entry, "end") });
}

/** One utterance, or none without words. An end before its start is not believed. */
function utterance({ text, speaker, from, to, at }: Spoken): readonly Utterance[] {
  const clean = text.trim();
  if (clean === "") return [];
  const start = plausibleSeconds(from);
  const end = plausibleSeconds(to);
  const ends = start !== undefined && end !== undefined && end >= start;
  return [{ speaker, text: clean, from: start, to: ends ? end : undefined, at }];
}

interface Spoken {
  readonly text: string;
  readonly speaker: Speaker | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly at?: number | undefined;
}
