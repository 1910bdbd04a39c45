import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { callForJson } from "../call.ts";
import { neededAddress, neededKey } from "./credentials.ts";
import { groupWords } from "./group-words.ts";
import { MAX_ANSWER_BYTES, paidTranscription } from "./paid-transcription.ts";
import {
  confidenceIn,
  isObject,
  mean,
  numberIn,
  objectAnswer,
  objectIn,
  objectsIn,
  textIn,
  unreadable,
  voiceIn,
} from "./read-answer.ts";
import type {
  NormalSegment,
  NormalTranscript,
  NormalWord,
  Transcriber,
  TranscriptionProvider,
} from "./transcriber.ts";

const provider = "deepgram";
const defaultModel = "nova-3";

const transcribe: Transcriber = async (context, audio, options) => {
  const key = neededKey(context, { provider, variable: "DEEPGRAM_KEY" });
  const base = neededAddress(context, { provider, variable: "DEEPGRAM_BASE_URL" });
  const model = options.model || defaultModel;
  const query = {
    model,
    ...(options.language === "" ? { detect_language: "true" } : { language: options.language }),
    punctuate: "true",
    smart_format: "true",
    diarize: String(options.diarize),
    ...(options.multichannel ? { multichannel: "true" } : {}),
  };
  const url = `${base}/v1/listen?${new URLSearchParams(query)}`;
  const result = await paidTranscription(context, {
    provider,
    model,
    audio,
    parameters: { url, mediatype: audio.mediatype },
    call: () =>
      callForJson(context, {
        provider,
        url,
        init: {
          method: "POST",
          headers: {
            authorization: `Token ${key}`,
            "content-type": audio.mediatype,
            accept: "application/json",
          },
          body: audio.bytes,
          maxBytes: MAX_ANSWER_BYTES,
        },
      }),
    read: (answer) => readDeepgram(answer, options.language),
    // Each channel that is transcribed by itself is paid for.
    channels: (answer) => (options.multichannel ? channelsOf(objectAnswer(provider, answer)).length : 1),
  });
  return { ...result, schema: "deepgram_prerecorded", model };
};

export const deepgram: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: true,
  limits: undefined,
  vendor: provider,
  product: "transcription",
};

function channelsOf(answer: JsonObject): readonly JsonObject[] {
  return objectsIn(objectIn(answer.results).channels);
}

function readDeepgram(answer: JsonValue, language: string): NormalTranscript {
  const body = objectAnswer(provider, answer);
  if (!isObject(body.results)) throw unreadable(provider, "has no results");
  const channels = channelsOf(body);
  const several = channels.length > 1;
  const read = channels.map((channel, index) => readChannel(channel, several ? index : undefined));
  return {
    text: read
      .map(({ text }) => text)
      .filter((text) => text !== "")
      .join("\n"),
    language: textIn(channels[0]?.detected_language) || language || undefined,
    duration: numberIn(objectIn(body.metadata).duration),
    segments: read.flatMap(({ segments }) => segments).toSorted((a, b) => a.start - b.start),
    words: read.flatMap(({ words }) => words).toSorted((a, b) => a.start - b.start),
  };
}

function readChannel(channel: JsonObject, index: number | undefined) {
  const best = objectsIn(channel.alternatives)[0] ?? {};
  const words = objectsIn(best.words).flatMap((word) => readWord(word, index));
  const paragraphs = objectsIn(objectIn(best.paragraphs).paragraphs);
  const spoken = paragraphs.flatMap((paragraph) => readParagraph(paragraph, { words, channel: index }));
  return {
    text: textIn(best.transcript).trim(),
    words,
    segments: spoken.length > 0 ? spoken : groupWords(words),
  };
}

function readWord(word: JsonObject, channel: number | undefined): readonly NormalWord[] {
  const start = numberIn(word.start);
  const end = numberIn(word.end);
  const text = textIn(word.punctuated_word) || textIn(word.word);
  if (start === undefined || end === undefined || text === "") return [];
  return [
    { text, start, end, confidence: confidenceIn(word.confidence), speaker: voiceIn(word.speaker), channel },
  ];
}

function readParagraph(
  paragraph: JsonObject,
  { words, channel }: { readonly words: readonly NormalWord[]; readonly channel: number | undefined },
): readonly NormalSegment[] {
  const start = numberIn(paragraph.start);
  const end = numberIn(paragraph.end);
  const text = objectsIn(paragraph.sentences)
    .map((sentence) => textIn(sentence.text))
    .join(" ")
    .trim();
  if (start === undefined || end === undefined || text === "") return [];
  const within = words.filter((word) => word.start >= start && word.end <= end);
  const confidence = mean(within.map((word) => word.confidence));
  return [{ text, start, end, confidence, speaker: voiceIn(paragraph.speaker), channel }];
}
