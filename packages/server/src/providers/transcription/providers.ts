import { assemblyai } from "./assemblyai.ts";
import { azure } from "./azure.ts";
import { deepgram } from "./deepgram.ts";
import { groq } from "./groq.ts";
import { openai } from "./openai.ts";
import type { TranscriptionProvider } from "./transcriber.ts";
import { whisper } from "./whisper.ts";

export const transcriptionProviders = [
  "deepgram",
  "openai",
  "groq",
  "azure",
  "whisper",
  "assemblyai",
] as const;
export type TranscriptionProviderName = (typeof transcriptionProviders)[number];

export const providerOf: Readonly<Record<TranscriptionProviderName, TranscriptionProvider>> = {
  deepgram,
  openai,
  groq,
  azure,
  whisper,
  assemblyai,
};
