import { neededAddress, neededKey } from "./credentials.ts";
import { transcribeAt, usualLimits } from "./openai-transcriptions.ts";
import type { Transcriber, TranscriptionProvider } from "./transcriber.ts";

const provider = "groq";
const defaultModel = "whisper-large-v3-turbo";

const transcribe: Transcriber = async (context, audio, options) => {
  const key = neededKey(context, { provider, variable: "GROQ_API_KEY" });
  const base = neededAddress(context, { provider, variable: "GROQ_BASE_URL" });
  const endpoint = {
    provider,
    url: `${base}/audio/transcriptions`,
    headers: { authorization: `Bearer ${key}` },
    model: options.model || defaultModel,
  };
  return transcribeAt(endpoint, { context, audio, options });
};

export const groq: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: false,
  limits: usualLimits,
  vendor: provider,
};
