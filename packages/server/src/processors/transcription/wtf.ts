import type { JsonObject, Vcon } from "@vconductor/vcon";
import { mean } from "../../providers/transcription/read-answer.ts";
import type { NormalSegment, NormalTranscript } from "../../providers/transcription/transcriber.ts";
import { type Seating, type SpeakerOfSegment, speakerOf, tellingName } from "./speakers.ts";
import { wordsOfSegments } from "./words-of-segments.ts";

export interface WtfSource {
  readonly vcon: Vcon;
  readonly seating: Seating;
  readonly transcript: NormalTranscript;
  /** In lower case. */
  readonly provider: string;
  readonly model: string;
  readonly seconds: number | undefined;
  readonly channels: number | undefined;
  /** When the provider was asked, and when it had answered; milliseconds since 1970. */
  readonly asked: number;
  readonly answered: number;
}

/**
 * A transcript in the World Transcription Format (draft-howe-vcon-wtf-extension). What a provider does not say, such as
 * its confidence, is left out rather than invented; an unknown language is "und".
 */
export function toWtf(source: WtfSource): JsonObject {
  const { transcript, seating } = source;
  const { segments, words } = transcript;
  const speakers = segments.map((segment) => speakerOf(segment, seating));
  const members = wordsOfSegments(segments, words);
  const duration = transcript.duration ?? source.seconds ?? segments.at(-1)?.end ?? 0;
  return {
    transcript: {
      text: transcript.text,
      language: transcript.language ?? "und",
      duration,
      ...optional("confidence", mean(segments.map(({ confidence }) => confidence))),
    },
    segments: segments.map((segment, id) => ({
      ...timedText(segment, id),
      ...optional("speaker", speakers[id]?.speaker),
      ...(words.length > 0 ? { words: members[id] ?? [] } : {}),
    })),
    metadata: metadataOf(source, duration),
    ...(words.length > 0 ? { words: wtfWords(transcript, { members, speakers }) } : {}),
    ...(speakers.some(({ speaker }) => speaker !== undefined)
      ? { speakers: wtfSpeakers(source.vcon, { segments, speakers }) }
      : {}),
  };
}

function optional<Value extends number | string>(name: string, value: Value | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** The draft wants an end after the start; providers give single words without any length. */
function timedText({ start, end, text, confidence }: NormalSegment, id: number): JsonObject {
  return {
    id,
    start,
    end: end > start ? end : milliseconds(start + 0.001),
    text,
    ...optional("confidence", confidence),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function wtfWords(
  { words }: NormalTranscript,
  {
    members,
    speakers,
  }: { readonly members: readonly (readonly number[])[]; readonly speakers: readonly SpeakerOfSegment[] },
): readonly JsonObject[] {
  const speakerOfWord = new Map<number, number | string | undefined>();
  for (const [segment, indices] of members.entries()) {
    for (const index of indices) speakerOfWord.set(index, speakers[segment]?.speaker);
  }
  return words.map((word, id) => ({
    ...timedText(word, id),
    ...optional("speaker", speakerOfWord.get(id)),
  }));
}

/** A label is what a reader takes for the party's name, so only parties that are known for sure have one. */
function wtfSpeakers(
  vcon: Vcon,
  {
    segments,
    speakers,
  }: { readonly segments: readonly NormalSegment[]; readonly speakers: readonly SpeakerOfSegment[] },
): JsonObject {
  const ids = new Set(speakers.flatMap(({ speaker }) => (speaker === undefined ? [] : [speaker])));
  const entries = [...ids].map((id) => {
    const own = [...speakers.keys()].filter((index) => speakers[index]?.speaker === id);
    const party = speakers[own[0] ?? -1]?.party;
    const total = own.reduce((sum, index) => sum + lengthOf(segments[index]), 0);
    const label = party === undefined ? undefined : tellingName(vcon, party);
    const entry = { id, ...optional("label", label), segments: own, total_time: milliseconds(total) };
    return [String(id), entry] as const;
  });
  return Object.fromEntries(entries);
}

function lengthOf(segment: NormalSegment | undefined): number {
  return segment === undefined ? 0 : Math.max(0, segment.end - segment.start);
}

function metadataOf(
  { provider, model, asked, answered, seconds, channels }: WtfSource,
  duration: number,
): JsonObject {
  return {
    created_at: new Date(asked).toISOString(),
    processed_at: new Date(answered).toISOString(),
    provider,
    model,
    processing_time: milliseconds((answered - asked) / 1000),
    audio: { duration: seconds ?? duration, ...optional("channels", channels) },
  };
}
