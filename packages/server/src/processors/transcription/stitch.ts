import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { objectIn, objectsIn } from "../../providers/transcription/read-answer.ts";
import type {
  NormalTranscript,
  NormalWord,
  Transcription,
} from "../../providers/transcription/transcriber.ts";
import type { Part } from "./parts.ts";
import { type Seating, speakerOf } from "./speakers.ts";

export interface TranscribedPart {
  readonly part: Part;
  readonly transcription: Transcription;
}

/**
 * The transcript of a recording from those of its parts: times from the start of the recording, channels merged by
 * time. The vendor's answer becomes one of its own shape; segments of a channel also say whose it is.
 */
export function stitch(
  [first, ...rest]: readonly [TranscribedPart, ...TranscribedPart[]],
  seating: Seating,
): Transcription {
  if (rest.length === 0 && first.part.offset === 0 && first.part.channel === undefined) {
    return first.transcription;
  }
  const placed = [first, ...rest].map(({ part, transcription }, index, all) => {
    const before = all.slice(0, index).filter((other) => other.part.channel === part.channel);
    return { part, transcription, voices: before.length + 1 };
  });
  const transcript = merged(placed);
  const vendor: JsonObject = {
    task: "transcribe",
    ...(transcript.language === undefined ? {} : { language: transcript.language }),
    ...(transcript.duration === undefined ? {} : { duration: transcript.duration }),
    text: transcript.text,
    segments: placed
      .flatMap((each) => vendorSegments(each, seating))
      .toSorted(byStart)
      .map((segment, id) => ({ ...segment, id })),
    words: placed.flatMap(vendorWords).toSorted(byStart),
  };
  return { ...first.transcription, vendor, transcript, schema: "openai_verbose_json" };
}

interface Placed extends TranscribedPart {
  /** The number of the part of its channel, from 1: its voices have nothing to do with those of other parts. */
  readonly voices: number;
}

function merged(placed: readonly Placed[]): NormalTranscript {
  const move = (part: Placed, words: readonly NormalWord[]) =>
    words.map((word) => ({
      ...word,
      start: shifted(word.start, part.part.offset),
      end: shifted(word.end, part.part.offset),
      speaker: voiceIn(part, word.speaker),
      channel: part.part.channel,
    }));
  const segments = placed
    .flatMap((part) => move(part, part.transcription.transcript.segments))
    .toSorted((a, b) => a.start - b.start);
  const words = placed
    .flatMap((part) => move(part, part.transcription.transcript.words))
    .toSorted((a, b) => a.start - b.start);
  const ends = placed.map(({ part, transcription }) =>
    shifted(transcription.transcript.duration ?? part.audio.seconds ?? 0, part.offset),
  );
  return {
    text: segments.map(({ text }) => text).join(" "),
    language: placed.map(({ transcription }) => transcription.transcript.language).find((known) => known),
    duration: ends.reduce((longest, end) => Math.max(longest, end), 0),
    segments,
    words,
  };
}

/** Voice "A" of the second part is "2.A": who says that it is voice "A" of the first? */
function voiceIn({ voices }: Placed, voice: number | string | undefined): number | string | undefined {
  return voice === undefined || voices === 1 ? voice : `${voices}.${voice}`;
}

function vendorSegments(placed: Placed, seating: Seating): readonly JsonObject[] {
  const { part, transcription } = placed;
  const given = objectsIn(objectIn(transcription.vendor).segments);
  const plain = transcription.transcript.segments.map(
    ({ start, end, text }): JsonObject => ({ start, end, text }),
  );
  const { channel } = part;
  return (given.length > 0 ? given : plain).map((segment) => {
    const own = voiceIn(placed, voice(segment.speaker));
    const { speaker } = speakerOf({ speaker: own, channel }, seating);
    const words = objectsIn(segment.words).map((word) => move(word, part.offset));
    return {
      ...move(segment, part.offset),
      ...(words.length > 0 ? { words } : {}),
      ...(speaker === undefined ? {} : { speaker }),
      ...(channel === undefined ? {} : { channel }),
    };
  });
}

function voice(value: JsonValue | undefined): number | string | undefined {
  return typeof value === "number" || typeof value === "string" ? value : undefined;
}

function vendorWords({ part, transcription }: Placed): readonly JsonObject[] {
  return objectsIn(objectIn(transcription.vendor).words).map((word) => ({
    ...move(word, part.offset),
    ...(part.channel === undefined ? {} : { channel: part.channel }),
  }));
}

function move(entry: JsonObject, offset: number): JsonObject {
  const { start, end } = entry;
  return {
    ...entry,
    ...(typeof start === "number" ? { start: shifted(start, offset) } : {}),
    ...(typeof end === "number" ? { end: shifted(end, offset) } : {}),
  };
}

function shifted(seconds: number, offset: number): number {
  return offset === 0 ? seconds : Math.round((seconds + offset) * 1000) / 1000;
}

function byStart(a: JsonObject, b: JsonObject): number {
  return Number(a.start ?? 0) - Number(b.start ?? 0);
}
