import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessorContext } from "../processors/define.ts";

/** How one try ended: with an answer, or with an error that another try may mend (`again`) or not. */
export type Attempt<Answer> =
  | { readonly answer: Answer }
  | {
      readonly error: Error;
      readonly again: boolean;
      /** When the provider wants the next one, in milliseconds from now. Default: as the settings say */
      readonly retryAfterMs?: number | undefined;
    };

/** A wait longer than this is not worth holding a worker for: the call fails, and the pipeline's retry comes later. */
const LONGEST_WAIT_MS = 90_000;

/**
 * Makes `attempt` until it gives an answer: PROVIDER_RETRIES more times at most, after as long as the provider says,
 * else PROVIDER_RETRY_SECONDS, doubled each time, with jitter.
 *
 * @throws the error of the last attempt; what `attempt` itself throws
 */
export async function withRetries<Answer>(
  context: Pick<ProcessorContext, "log" | "setting" | "signal">,
  provider: string,
  attempt: () => Promise<Attempt<Answer>>,
): Promise<Answer> {
  const retries = Number(context.setting("PROVIDER_RETRIES"));
  const firstWaitMs = Number(context.setting("PROVIDER_RETRY_SECONDS")) * 1000;
  for (let tried = 0; ; tried += 1) {
    const outcome = await attempt();
    if ("answer" in outcome) return outcome.answer;
    const waitMs = outcome.retryAfterMs ?? backoffMs(firstWaitMs, tried);
    if (!outcome.again || tried >= retries || waitMs > LONGEST_WAIT_MS) throw outcome.error;
    context.log.warn(
      { provider, attempt: tried + 1, waitMs, reason: outcome.error.message },
      "a provider's call failed; trying again",
    );
    await sleep(waitMs, undefined, { signal: context.signal });
  }
}

/** Between half and the whole of the doubled wait, so that callers that failed together do not come back together. */
function backoffMs(firstWaitMs: number, tried: number): number {
  return Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** tried) * (0.5 + Math.random() / 2);
}
