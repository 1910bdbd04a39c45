import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import { groupWords } from "./group-words.ts";
import { languageCode } from "./language-code.ts";
import {
  confidenceIn,
  numberIn,
  objectAnswer,
  objectIn,
  objectsIn,
  textIn,
  unreadable,
  voiceIn,
} from "./read-answer.ts";
import type { NormalSegment, NormalTranscript, NormalWord } from "./transcriber.ts";
import { joinTokens } from "./word-tokens.ts";

/**
 * Reads what `audio/transcriptions` answers: text alone, with segments, with words (beside the segments or within
 * them), or with voices.
 *
 * @throws provider_failed there is no text
 */
export function readOpenAi(
  answer: JsonValue,
  { provider, seconds }: { readonly provider: string; readonly seconds?: number | undefined },
): NormalTranscript {
  const body = objectAnswer(provider, answer);
  if (typeof body.text !== "string") throw withoutText(provider, body);
  const text = body.text.trim();
  const duration = numberIn(body.duration) ?? seconds;
  const words = wordsOf(body);
  const given = objectsIn(body.segments).flatMap(readSegment);
  const grouped = given.length > 0 ? given : groupWords(words);
  const whole = text === "" ? [] : [{ text, start: 0, end: duration ?? 0 }];
  return {
    text,
    language: languageCode(textIn(body.language)),
    duration,
    segments: grouped.length > 0 ? grouped : whole,
    words,
  };
}

/** Some servers report failures with status 200. */
function withoutText(provider: string, body: JsonObject): VconductorError {
  const error = textIn(body.error) || textIn(objectIn(body.error).message);
  if (error === "") return unreadable(provider, "has no text");
  return new VconductorError("provider_failed", `${provider}: ${error.slice(0, 500)}`);
}

/** The name of the answer's shape. */
export function schemaOf(answer: JsonValue): string {
  const segments = objectsIn(objectIn(answer).segments);
  if (segments.some(({ speaker }) => speaker !== undefined)) return "openai_diarized_json";
  return Array.isArray(objectIn(answer).segments) ? "openai_verbose_json" : "openai_json";
}

function wordsOf(body: JsonObject): readonly NormalWord[] {
  const beside = objectsIn(body.words).flatMap(readWord);
  if (beside.length > 0) return beside.map((word) => ({ ...word, text: word.text.trim() }));
  const within = objectsIn(body.segments).map((segment) => objectsIn(segment.words).flatMap(readWord));
  return joinTokens(within);
}

function readWord(word: JsonObject): readonly NormalWord[] {
  const start = numberIn(word.start);
  const end = numberIn(word.end);
  const text = textIn(word.word);
  if (start === undefined || end === undefined || text.trim() === "") return [];
  return [
    {
      text,
      start,
      end,
      confidence: confidenceIn(word.probability),
      ...("speaker" in word ? { speaker: voiceIn(word.speaker) } : {}),
    },
  ];
}

function readSegment(segment: JsonObject): readonly NormalSegment[] {
  const start = numberIn(segment.start);
  const end = numberIn(segment.end);
  const text = textIn(segment.text).trim();
  if (start === undefined || end === undefined || text === "") return [];
  const logarithm = segment.avg_logprob;
  const confidence =
    typeof logarithm === "number"
      ? Math.round(Math.exp(Math.min(0, logarithm)) * 10_000) / 10_000
      : undefined;
  return [{ text, start, end, confidence, speaker: voiceIn(segment.speaker) }];
}
