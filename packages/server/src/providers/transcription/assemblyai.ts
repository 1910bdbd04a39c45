import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject, JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import { callForJson } from "../call.ts";
import { neededAddress, neededKey } from "./credentials.ts";
import { groupWords } from "./group-words.ts";
import { MAX_ANSWER_BYTES, paidTranscription } from "./paid-transcription.ts";
import {
  confidenceIn,
  numberIn,
  objectAnswer,
  objectsIn,
  textIn,
  unreadable,
  voiceIn,
} from "./read-answer.ts";
import type {
  NormalTranscript,
  NormalWord,
  Transcriber,
  TranscriberContext,
  TranscriptionProvider,
} from "./transcriber.ts";

const provider = "assemblyai";

/** The model's name in reports of usage when none is asked for: the provider then takes its default. */
const defaultModel = "universal";

const transcribe: Transcriber = async (context, audio, options) => {
  const key = neededKey(context, { provider, variable: "ASSEMBLYAI_API_KEY" });
  const base = neededAddress(context, { provider, variable: "ASSEMBLYAI_BASE_URL" });
  const model = options.model || defaultModel;
  const order: JsonObject = {
    ...(options.model === "" ? {} : { speech_models: [options.model] }),
    ...(options.language === ""
      ? { language_detection: true }
      : { language_code: options.language.replaceAll("-", "_").toLowerCase() }),
    ...(options.diarize ? { speaker_labels: true } : {}),
    ...(options.multichannel ? { multichannel: true } : {}),
  };
  const result = await paidTranscription(context, {
    provider,
    model,
    audio,
    parameters: { url: base, order },
    call: () => placeOrder(context, { base, key, bytes: audio.bytes, order }),
    read: readAssemblyAi,
    channels: (answer) =>
      options.multichannel ? (numberIn(objectAnswer(provider, answer).audio_channels) ?? 1) : 1,
  });
  return { ...result, schema: "assemblyai_transcript", model };
};

export const assemblyai: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: true,
  limits: undefined,
  vendor: provider,
};

interface Order {
  readonly base: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly order: JsonObject;
}

/** Uploads, orders and waits until it is done. */
async function placeOrder(
  context: TranscriberContext,
  { base, key, bytes, order }: Order,
): Promise<JsonValue> {
  const headers = { authorization: key };
  const upload = await callForJson(context, {
    provider,
    url: `${base}/v2/upload`,
    init: {
      method: "POST",
      headers: { ...headers, "content-type": "application/octet-stream" },
      body: bytes,
    },
  });
  const audioUrl = textIn(objectAnswer(provider, upload).upload_url);
  if (audioUrl === "") throw unreadable(provider, "to the upload has no upload_url");
  const ordered = await callForJson(context, {
    provider,
    url: `${base}/v2/transcript`,
    init: {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ audio_url: audioUrl, ...order }),
    },
  });
  const id = textIn(objectAnswer(provider, ordered).id);
  if (id === "") throw unreadable(provider, "to the order has no id");
  return finished(context, { url: `${base}/v2/transcript/${encodeURIComponent(id)}`, headers });
}

const LONGEST_POLL_MS = 10_000;

/** Asks again after PROVIDER_RETRY_SECONDS, and each time a little later, as long as the processor has time. */
async function finished(
  context: TranscriberContext,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
): Promise<JsonValue> {
  let waitMs = Number(context.setting("PROVIDER_RETRY_SECONDS")) * 1000;
  for (;;) {
    const answer = objectAnswer(
      provider,
      await callForJson(context, { provider, url, init: { headers, maxBytes: MAX_ANSWER_BYTES } }),
    );
    if (answer.status === "completed") return answer;
    if (answer.status === "error") {
      const why = context.mask(textIn(answer.error)).slice(0, 500) || "(no reason given)";
      throw new VconductorError("provider_failed", `${provider} could not transcribe the recording: ${why}`);
    }
    if (answer.status !== "queued" && answer.status !== "processing") {
      throw unreadable(provider, "has a status that is none of queued, processing, completed and error");
    }
    await sleep(waitMs, undefined, { signal: context.signal });
    waitMs = Math.min(LONGEST_POLL_MS, waitMs * 1.5);
  }
}

/* Reading: times are in milliseconds, channels are counted from 1. */

function readAssemblyAi(answer: JsonValue): NormalTranscript {
  const body = objectAnswer(provider, answer);
  const words = objectsIn(body.words).flatMap(readPart);
  const utterances = objectsIn(body.utterances).flatMap(readPart);
  return {
    text: textIn(body.text).trim(),
    language: textIn(body.language_code).replaceAll("_", "-") || undefined,
    duration: numberIn(body.audio_duration),
    segments: (utterances.length > 0 ? utterances : byChannel(words)).toSorted((a, b) => a.start - b.start),
    words,
  };
}

function byChannel(words: readonly NormalWord[]): readonly NormalWord[] {
  const channels = new Set(words.map(({ channel }) => channel));
  return [...channels].flatMap((channel) => groupWords(words.filter((word) => word.channel === channel)));
}

function readPart(part: JsonObject): readonly NormalWord[] {
  const start = numberIn(part.start);
  const end = numberIn(part.end);
  const text = textIn(part.text).trim();
  if (start === undefined || end === undefined || text === "") return [];
  const channel = numberIn(part.channel);
  return [
    {
      text,
      start: start / 1000,
      end: end / 1000,
      confidence: confidenceIn(part.confidence),
      ...(channel === undefined || channel < 1
        ? { speaker: voiceIn(part.speaker) }
        : { channel: channel - 1, speaker: voiceOnChannel(part.speaker) }),
    },
  ];
}

/** On a channel the speaker is that channel's number, with the voice's letter after it if voices are told apart: "1", "1A". */
function voiceOnChannel(speaker: JsonValue | undefined): string | undefined {
  return /[A-Z]+$/.exec(textIn(speaker))?.[0];
}
