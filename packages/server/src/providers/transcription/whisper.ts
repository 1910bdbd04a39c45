import { neededAddress, trimmedAddress } from "./credentials.ts";
import { transcribeAt } from "./openai-transcriptions.ts";
import type { Transcriber, TranscriptionProvider } from "./transcriber.ts";

const provider = "whisper";
const defaultModel = "whisper-1";

/**
 * A server of one's own with OpenAI's API: whisper.cpp, faster-whisper, Speaches … The key of the settings goes to the
 * address of the settings only: whoever writes options must not be able to send it elsewhere.
 */
const transcribe: Transcriber = async (context, audio, options) => {
  const own = trimmedAddress(options.baseUrl ?? "");
  const base = own || neededAddress(context, { provider, variable: "WHISPER_BASE_URL" });
  const key = own === "" ? context.secret("WHISPER_API_KEY") : options.apiKey;
  const endpoint = {
    provider,
    url: `${base}/audio/transcriptions`,
    headers: key === undefined || key === "" ? {} : { authorization: `Bearer ${key}` },
    model: options.model || defaultModel,
  };
  return transcribeAt(endpoint, { context, audio, options });
};

export const whisper: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: false,
  // As long as it likes: the server is one's own.
  limits: undefined,
  vendor: provider,
};
