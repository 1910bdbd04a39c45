import { neededAddress, neededKey } from "./credentials.ts";
import { transcribeAt, usualLimits } from "./openai-transcriptions.ts";
import type { Transcriber, TranscriptionProvider } from "./transcriber.ts";

const provider = "azure";
const defaultModel = "whisper";

/** The first that also has the models that came after Whisper. */
const API_VERSION = "2025-04-01-preview";

/** The model is the name of a deployment. */
const transcribe: Transcriber = async (context, audio, options) => {
  const key = neededKey(context, { provider, variable: "AZURE_OPENAI_API_KEY" });
  const base = neededAddress(context, { provider, variable: "AZURE_OPENAI_ENDPOINT" });
  const model = options.model || defaultModel;
  const path = `openai/deployments/${encodeURIComponent(model)}/audio/transcriptions`;
  const endpoint = {
    provider,
    url: `${base}/${path}?api-version=${API_VERSION}`,
    headers: { "api-key": key },
    model,
  };
  return transcribeAt(endpoint, { context, audio, options });
};

export const azure: TranscriptionProvider = {
  transcribe,
  defaultModel,
  multichannel: false,
  limits: usualLimits,
  vendor: provider,
};
