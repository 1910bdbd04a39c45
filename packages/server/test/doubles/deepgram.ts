import { createHash } from "node:crypto";
import { ProviderDouble, type Reply } from "./provider.ts";
import { readWav } from "./wav.ts";

/** What is heard on a channel: by voice, each sentence a paragraph. */
export interface HeardByDeepgram {
  readonly speaker: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const call: readonly HeardByDeepgram[] = [
  { speaker: 0, text: "Hello, Harbour Bakery.", start: 0.2, end: 1.4 },
  { speaker: 1, text: "Do you have rye bread?", start: 1.8, end: 3.2 },
];

/**
 * Deepgram's `/v1/listen`: checks what the real one checks of a request.
 *
 * @param heard by channel; only the first is, unless the request says multichannel
 */
export function deepgramDouble(
  key: string,
  heard: readonly (readonly HeardByDeepgram[])[] = [call],
): Promise<ProviderDouble> {
  return ProviderDouble.start(({ method, path, headers, body }): Reply => {
    const url = new URL(path, "http://deepgram.test");
    if (method !== "POST" || url.pathname !== "/v1/listen") return { status: 404, body: {} };
    if (headers.authorization !== `Token ${key}`) return refused(401, "INVALID_AUTH", "Invalid credentials.");
    if (!/^(?:audio|video)\//.test(headers["content-type"] ?? "")) {
      return refused(400, "Bad Request", "Content-Type must be audio or video");
    }
    const wav = readWav(body);
    if (wav === undefined) {
      return refused(400, "Bad Request", "failed to process audio: corrupt or unsupported data");
    }
    const query = Object.fromEntries(url.searchParams);
    if (query.model === undefined || ("language" in query && "detect_language" in query)) {
      return refused(400, "Bad Request", "model, and one of language and detect_language");
    }
    const channels = query.multichannel === "true" ? heard.slice(0, wav.channels) : heard.slice(0, 1);
    return {
      body: {
        metadata: {
          transaction_key: "deprecated",
          request_id: "45ba7185-1f6d-4d16-8e0e-c44076d06a5c",
          sha256: createHash("sha256").update(body).digest("hex"),
          created: "2026-03-01T19:42:19.881Z",
          duration: wav.seconds,
          channels: channels.length,
          models: ["33063c07-ad0b-41de-b393-071dbe2b35da"],
          model_info: {
            "33063c07-ad0b-41de-b393-071dbe2b35da": { name: "general", version: "1", arch: query.model },
          },
        },
        results: { channels: channels.map((lines) => channel(lines, query)) },
      },
    };
  });
}

function refused(status: number, code: string, message: string): Reply {
  return { status, body: { err_code: code, err_msg: message, request_id: "0" } };
}

function channel(lines: readonly HeardByDeepgram[], query: Readonly<Record<string, string>>) {
  const voice = (speaker: number) => (query.diarize === "true" ? { speaker } : {});
  const words = lines.flatMap((line) => {
    const spoken = line.text.split(" ");
    const length = (line.end - line.start) / spoken.length;
    return spoken.map((word, index) => ({
      word: word.toLowerCase().replaceAll(/[^a-z]/g, ""),
      start: line.start + index * length,
      end: line.start + (index + 1) * length,
      confidence: 0.9,
      ...voice(line.speaker),
      ...(query.diarize === "true" ? { speaker_confidence: 0.7 } : {}),
      punctuated_word: word,
    }));
  });
  const transcript = lines.map(({ text }) => text).join(" ");
  const paragraphs = lines.map(({ text, start, end, speaker }) => ({
    sentences: [{ text, start, end }],
    ...voice(speaker),
    num_words: text.split(" ").length,
    start,
    end,
  }));
  return {
    alternatives: [
      { transcript, confidence: 0.95, words, paragraphs: { transcript: `\n${transcript}`, paragraphs } },
    ],
    ...(query.detect_language === "true" ? { detected_language: "de", language_confidence: 0.9 } : {}),
  };
}
