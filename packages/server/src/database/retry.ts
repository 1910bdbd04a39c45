import { setTimeout as sleep } from "node:timers/promises";
import { isUnavailable } from "./database.ts";

const firstDelayMs = 50;
const longestDelayMs = 2000;

/**
 * Does `work`, and again with growing pauses while the database is away.
 * @param options.signal gives up when aborted, with the last error
 */
export async function retryWhileAway<Result>(
  work: () => Promise<Result>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Result> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || options.signal?.aborted) throw error;
      await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
        () => {},
      );
    }
  }
}
