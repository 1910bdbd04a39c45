import { neededAddress, neededKey } from "./credentials.ts";
import { transcribeAt, usualLimits } from "./openai-transcriptions.ts";
import type { Transcriber, TranscriptionProvider } from "./transcriber.ts";

const provider = "openai";
const defaultModel = "whisper-1";

const transcribe: Transcriber = async (context, audio, options) => {
  const key = neededKey(context, { provider, variable: "OPENAI_API_KEY" });
  const base = neededAddress(context, { provider, variable: "OPENAI_BASE_URL" });
  const endpoint = {
    provider,
    url: `${base}/audio/transcriptions`,
    headers: { authorization: `Bearer ${key}` },
    model: options.model || defaultModel,
  };
  return transcribeAt(endpoint, { context, audio, options });
};

export const openai: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: false,
  limits: usualLimits,
  vendor: provider,
};
