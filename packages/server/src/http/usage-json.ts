import type { UsageSum } from "../usage/usage-ledger.ts";

const nothing: UsageSum = {
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  audioSeconds: 0,
  cost: 0,
  unpriced: 0,
};

/** A sum of paid calls, as the API shows it. */
export function toUsageJson(sum: UsageSum = nothing) {
  return {
    calls: sum.calls,
    input_tokens: sum.inputTokens,
    output_tokens: sum.outputTokens,
    audio_seconds: sum.audioSeconds,
    cost: sum.cost,
    unpriced_calls: sum.unpriced,
  };
}
