import { ProviderDouble, type Received, type Reply } from "./provider.ts";
import { readWav, type WavInfo } from "./wav.ts";

export interface HeardByOpenAi {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** For a model that tells voices apart. */
  readonly speaker?: string;
}

/** A request, taken apart. */
export interface TranscriptionRequest {
  readonly form: FormData;
  readonly filename: string;
  readonly type: string;
  readonly wav: WavInfo;
}

export interface OpenAiAudio {
  /** Undefined: no key is wanted. */
  readonly key?: string;
  /** What is heard in a file. Default: a short call */
  readonly hear?: (wav: WavInfo) => readonly HeardByOpenAi[];
  /** How words are given: beside the segments as OpenAI does, within them as tokens as whisper.cpp does, or not. */
  readonly words?: "beside" | "tokens" | "none";
  /** A model that gives no times, whatever its name. */
  readonly jsonOnly?: boolean;
}

const call: readonly HeardByOpenAi[] = [
  { text: "Hello, Harbour Bakery.", start: 0.2, end: 1.4, speaker: "A" },
  { text: "Do you have rye bread?", start: 1.8, end: 3.2, speaker: "B" },
];

const endings = /\.(?:flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/;

/** The requests that a double got, taken apart. */
export async function transcriptionRequests(
  double: ProviderDouble,
): Promise<readonly TranscriptionRequest[]> {
  const requests = await Promise.all(double.received.map(takeApart));
  return requests.filter((request) => request !== undefined);
}

/** OpenAI's `audio/transcriptions`, at any address that ends so, Azure's too. Checks what the real one checks. */
export function openAiAudioDouble(audio: OpenAiAudio = {}): Promise<ProviderDouble> {
  const { key, hear = () => call, words = "beside", jsonOnly = false } = audio;
  return ProviderDouble.start(async (received): Promise<Reply> => {
    const { method, path, headers } = received;
    const url = new URL(path, "http://openai.test");
    if (method !== "POST" || !url.pathname.endsWith("/audio/transcriptions"))
      return { status: 404, body: {} };
    const azure = /^\/openai\/deployments\/[^/]+\//.test(url.pathname);
    const given = azure ? headers["api-key"] : headers.authorization?.replace(/^Bearer /, "");
    if (key !== undefined && given !== key) return refused(401, "Incorrect API key provided");
    if (azure && !url.searchParams.has("api-version")) return { status: 404, body: {} };
    const request = await takeApart(received);
    if (request === undefined) return refused(400, "file: a readable audio file is required");
    if (!endings.test(request.filename)) return refused(400, `Invalid file format: ${request.filename}`);
    const wrong = wrongFields(request.form, jsonOnly);
    if (wrong !== undefined) return refused(400, wrong);
    return { body: answer(request, { lines: hear(request.wav), words }) };
  });
}

function refused(status: number, message: string): Reply {
  return { status, body: { error: { message, type: "invalid_request_error", param: null, code: null } } };
}

async function takeApart({ headers, body }: Received): Promise<TranscriptionRequest | undefined> {
  const type = headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data; boundary=")) return undefined;
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const file = form.get("file");
  if (!(file instanceof File)) return undefined;
  const wav = readWav(await file.bytes());
  return wav === undefined ? undefined : { form, filename: file.name, type: file.type, wav };
}

function wrongFields(form: FormData, jsonOnly: boolean): string | undefined {
  const model = text(form, "model");
  const format = text(form, "response_format");
  const granularities = form.getAll("timestamp_granularities[]");
  if (model === "") return "you must provide a model parameter";
  const diarizes = model.endsWith("-diarize");
  const plain = jsonOnly || (model.startsWith("gpt-") && !diarizes);
  const formats = diarizes ? ["json", "diarized_json"] : plain ? ["json"] : ["json", "verbose_json"];
  if (!formats.includes(format)) {
    return `response_format '${format}' is not compatible with model '${model}'. Use 'json' instead.`;
  }
  if (granularities.length > 0 && format !== "verbose_json")
    return "timestamp_granularities needs verbose_json";
  if (diarizes && text(form, "chunking_strategy") === "") return "chunking_strategy is required";
  const language = form.get("language");
  return language === null || /^[a-z]{2}$/.test(String(language)) ? undefined : "Invalid language";
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

function answer(
  { form, wav }: TranscriptionRequest,
  { lines, words }: { readonly lines: readonly HeardByOpenAi[]; readonly words: OpenAiAudio["words"] },
) {
  const said = lines.map((line) => line.text).join(" ");
  const format = form.get("response_format");
  if (format === "json") return { text: said, usage: { type: "duration", seconds: Math.ceil(wav.seconds) } };
  if (format === "diarized_json") {
    const segments = lines.map((line, id) => ({ type: "transcript.text.segment", id: `seg_${id}`, ...line }));
    return { task: "transcribe", duration: wav.seconds, text: said, segments };
  }
  const segments = lines.map((line, id) => ({
    id,
    seek: 0,
    start: line.start,
    end: line.end,
    text: ` ${line.text}`,
    avg_logprob: -0.1,
    no_speech_prob: 0.01,
    ...(words === "tokens" ? { words: tokensOf(line) } : {}),
  }));
  return {
    task: "transcribe",
    language: "english",
    duration: wav.seconds,
    text: said,
    segments,
    ...(words === "beside" ? { words: lines.flatMap(wordsOf) } : {}),
  };
}

function wordsOf({ text: said, start, end }: HeardByOpenAi) {
  const spoken = said.split(" ");
  const length = (end - start) / spoken.length;
  return spoken.map((word, index) => ({
    word: word.replaceAll(/[^A-Za-z]/g, ""),
    start: start + index * length,
    end: start + (index + 1) * length,
  }));
}

/** Parts of words, of which only the first has a blank before it. */
function tokensOf({ text: said, start, end }: HeardByOpenAi) {
  const tokens = said
    .split(" ")
    .flatMap((word) => [` ${word.slice(0, 2)}`, word.slice(2)])
    .filter(Boolean);
  const length = (end - start) / tokens.length;
  return tokens.map((word, index) => ({
    word,
    start: start + index * length,
    end: start + (index + 1) * length,
    t_dtw: -1,
    probability: 0.8,
  }));
}
