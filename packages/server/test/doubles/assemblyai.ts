import { ProviderDouble, type Received, type Reply } from "./provider.ts";
import { readWav } from "./wav.ts";

/** What is heard, in milliseconds; the channel counts from 1. */
export interface HeardByAssemblyAi {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly speaker: string;
  readonly channel?: string;
}

const call: readonly HeardByAssemblyAi[] = [
  { text: "Hello, Harbour Bakery.", start: 200, end: 1400, speaker: "A" },
  { text: "Do you have rye bread?", start: 1800, end: 3200, speaker: "B" },
];

export interface AssemblyAi {
  readonly heard?: readonly HeardByAssemblyAi[];
  /** Why nothing can be transcribed. */
  readonly error?: string;
}

/** AssemblyAI: upload, order, and an answer that is queued and processing before it is completed. */
export function assemblyAiDouble(
  key: string,
  { heard = call, error }: AssemblyAi = {},
): Promise<ProviderDouble> {
  const uploads = new Map<string, Buffer>();
  const orders = new Map<string, { readonly order: Readonly<Record<string, unknown>>; polls: number }>();

  function upload({ body }: Received): Reply {
    const address = `https://cdn.assemblyai.test/upload/${uploads.size}`;
    if (readWav(body) === undefined)
      return { status: 422, body: { error: "Upload failed, please try again." } };
    uploads.set(address, body);
    return { body: { upload_url: address } };
  }

  function order({ body }: Received): Reply {
    const given: Readonly<Record<string, unknown>> = JSON.parse(body.toString());
    if (!uploads.has(String(given.audio_url)))
      return { status: 400, body: { error: "audio_url is not valid" } };
    if ("language_code" in given && "language_detection" in given) {
      return { status: 400, body: { error: "language_detection is not available with language_code" } };
    }
    const id = `order-${orders.size}`;
    orders.set(id, { order: given, polls: 0 });
    return { body: { id, status: "queued", ...given } };
  }

  function poll(id: string): Reply {
    const known = orders.get(id);
    if (known === undefined) return { status: 404, body: { error: "Transcript not found" } };
    known.polls += 1;
    if (known.polls < 3) return { body: { id, status: known.polls === 1 ? "queued" : "processing" } };
    if (error !== undefined) return { body: { id, status: "error", error } };
    const { order: given } = known;
    const wav = readWav(uploads.get(String(given.audio_url)) ?? Buffer.alloc(0));
    const parts = heard.map((each) => ({ ...each, confidence: 0.9 }));
    return {
      body: {
        id,
        status: "completed",
        language_code: String(given.language_code ?? "en_us"),
        audio_duration: wav?.seconds ?? null,
        ...(given.multichannel === true ? { audio_channels: wav?.channels } : {}),
        text: heard.map(({ text }) => text).join(" "),
        words: parts.flatMap(wordsOf),
        utterances:
          given.speaker_labels === true || given.multichannel === true
            ? parts.map((part) => ({ ...part, words: wordsOf(part) }))
            : null,
      },
    };
  }

  return ProviderDouble.start((received): Reply => {
    const { method, path, headers } = received;
    if (headers.authorization !== key) return { status: 401, body: { error: "Invalid API key" } };
    if (method === "POST" && path === "/v2/upload") return upload(received);
    if (method === "POST" && path === "/v2/transcript") return order(received);
    const id = /^\/v2\/transcript\/([^/?]+)$/.exec(path)?.[1];
    return method === "GET" && id !== undefined ? poll(id) : { status: 404, body: { error: "Not found" } };
  });
}

function wordsOf({ text, start, end, ...rest }: HeardByAssemblyAi & { readonly confidence: number }) {
  const spoken = text.split(" ");
  const length = (end - start) / spoken.length;
  return spoken.map((word, index) => ({
    text: word,
    start: Math.round(start + index * length),
    end: Math.round(start + (index + 1) * length),
    ...rest,
  }));
}
