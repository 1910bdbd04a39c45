import type { JsonValue } from "@vconductor/vcon";
import type { FormData } from "undici";
import { VconductorError } from "../../errors.ts";
import { callForJson } from "../call.ts";
import { readOpenAi, schemaOf } from "./openai-answer.ts";
import { MAX_ANSWER_BYTES, paidTranscription } from "./paid-transcription.ts";
import type {
  Audio,
  AudioLimits,
  TranscriberContext,
  TranscriberOptions,
  Transcription,
} from "./transcriber.ts";

/* OpenAI's `audio/transcriptions`, which others offer too: Groq, Azure, and servers of one's own. */

export interface OpenAiEndpoint {
  readonly provider: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
}

export async function transcribeAt(
  endpoint: OpenAiEndpoint,
  given: {
    readonly context: TranscriberContext;
    readonly audio: Audio;
    readonly options: TranscriberOptions;
  },
): Promise<Transcription> {
  const { provider, model, url } = endpoint;
  const { context, audio, options } = given;
  const language = options.language.split("-")[0] ?? "";
  const format = formatFor(model);
  const { vendor, transcript } = await paidTranscription(context, {
    provider,
    model,
    audio,
    parameters: { url, language, format, filename: audio.filename },
    call: () => ask(endpoint, { ...given, language, format }),
    read: (answer) => readOpenAi(answer, { provider, seconds: audio.seconds }),
  });
  const known = transcript.language ?? (options.language || undefined);
  return { vendor, transcript: { ...transcript, language: known }, schema: schemaOf(vendor), model };
}

type Format = "json" | "verbose_json" | "diarized_json";

/** Newer models give times only with voices, and without them just the text. */
function formatFor(model: string): Format {
  if (/transcribe-diarize/.test(model)) return "diarized_json";
  return isTextModel(model) ? "json" : "verbose_json";
}

function isTextModel(model: string): boolean {
  return /^gpt-.*transcribe/.test(model);
}

const MEGABYTE = 1_000_000;

/** The published 25 MB, less what the rest of the request takes; newer models also take 25 minutes at most. */
export function usualLimits(model: string): AudioLimits {
  return {
    bytes: 24.5 * MEGABYTE,
    seconds: isTextModel(model) ? 20 * 60 : Number.POSITIVE_INFINITY,
  };
}

interface Question {
  readonly context: TranscriberContext;
  readonly audio: Audio;
  readonly language: string;
  readonly format: Format;
}

async function ask(endpoint: OpenAiEndpoint, question: Question): Promise<JsonValue> {
  const { provider, url, headers } = endpoint;
  const { context, format } = question;
  try {
    const init = {
      method: "POST",
      headers,
      body: await formOf(endpoint.model, question),
      maxBytes: MAX_ANSWER_BYTES,
    };
    return await callForJson(context, { provider, url, init });
  } catch (error) {
    // A deployment's or a server's model may have any name, so what it can shows only now.
    if (format === "verbose_json" && refusesFormat(error)) {
      context.log.warn({ provider, model: endpoint.model }, "the model gives text without times only");
      return ask(endpoint, { ...question, format: "json" });
    }
    throw error;
  }
}

function refusesFormat(error: unknown): boolean {
  return (
    error instanceof VconductorError &&
    error.code === "provider_failed" &&
    / answered 4\d\d: /.test(error.message) &&
    /response_format|timestamp_granularities/.test(error.message)
  );
}

async function formOf(model: string, { audio, language, format }: Question): Promise<FormData> {
  const { FormData } = await import("undici");
  const form = new FormData();
  form.append("model", model);
  form.append("response_format", format);
  if (language !== "") form.append("language", language);
  if (format === "verbose_json") {
    form.append("timestamp_granularities[]", "word");
    form.append("timestamp_granularities[]", "segment");
  }
  // Without it, longer recordings are refused.
  if (format === "diarized_json") form.append("chunking_strategy", "auto");
  const type = registeredType(audio.mediatype);
  form.append("file", new Blob([new Uint8Array(audio.bytes)], { type }), audio.filename);
  return form;
}

/** vCons use older names: audio/x-wav, audio/x-mp3, video/x-mp4. */
function registeredType(mediatype: string): string {
  return mediatype.replace("/x-", "/").replace("audio/mp3", "audio/mpeg").replace("audio/m4a", "audio/mp4");
}
