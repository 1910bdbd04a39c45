import type { Usage } from "../processors/define.ts";

/** In US dollars. */
export interface Price {
  /** Per million tokens read. */
  readonly input?: number;
  /** Per million tokens written. */
  readonly output?: number;
  /** Per minute of audio. */
  readonly minute?: number;
}

/** By `provider/model`, by `model` for every provider of it, or by `provider/*` for all of its models. */
export type Prices = Readonly<Record<string, Price>>;

/**
 * List prices of 2025, to be overruled by MODEL_PRICES: providers change them, and contracts differ. Names of models
 * with a date or version at their end count as the model without it.
 */
const listPrices: Prices = {
  "gpt-4-1106-preview": { input: 10, output: 30 },
  "gpt-4-turbo": { input: 10, output: 30 },
  "gpt-4o": { input: 2.5, output: 10 },
  "gpt-4o-mini": { input: 0.15, output: 0.6 },
  "gpt-4.1": { input: 2, output: 8 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6 },
  "gpt-4.1-nano": { input: 0.1, output: 0.4 },
  "gpt-3.5-turbo": { input: 0.5, output: 1.5 },
  "anthropic/claude-opus-4-1": { input: 15, output: 75 },
  "anthropic/claude-sonnet-4-5": { input: 3, output: 15 },
  "anthropic/claude-haiku-4-5": { input: 1, output: 5 },
  "anthropic/claude-3-5-haiku": { input: 0.8, output: 4 },
  "openai/whisper-1": { minute: 0.006 },
  "openai/gpt-4o-transcribe": { minute: 0.006 },
  "openai/gpt-4o-mini-transcribe": { minute: 0.003 },
  "openai/gpt-4o-transcribe-diarize": { minute: 0.006 },
  "groq/whisper-large-v3": { minute: 0.111 / 60 },
  "groq/whisper-large-v3-turbo": { minute: 0.04 / 60 },
  "deepgram/nova-3": { minute: 0.0043 },
  "deepgram/nova-2": { minute: 0.0043 },
  "assemblyai/universal": { minute: 0.27 / 60 },
  // A server of one's own.
  "whisper/*": { minute: 0 },
};

/** What `usage` costs in US dollars; undefined when its model's price is not known. */
export function costOf(usage: Usage, own: Prices = {}): number | undefined {
  const price = find(own, usage) ?? find(listPrices, usage);
  if (price === undefined) return undefined;
  const { inputTokens = 0, outputTokens = 0, audioSeconds = 0 } = usage;
  const tokens = inputTokens * (price.input ?? 0) + outputTokens * (price.output ?? 0);
  return tokens / 1_000_000 + (audioSeconds / 60) * (price.minute ?? 0);
}

/** A date or version at the end of a model's name: -2024-08-06, -20250929, -latest. */
const versionSuffix = /-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/;

function find(prices: Prices, { provider, model }: Usage): Price | undefined {
  const names = [model, model.replace(versionSuffix, "")];
  const keys = [...names.flatMap((name) => [`${provider}/${name}`, name]), `${provider}/*`];
  const key = keys.find((candidate) => Object.hasOwn(prices, candidate));
  return key === undefined ? undefined : prices[key];
}
