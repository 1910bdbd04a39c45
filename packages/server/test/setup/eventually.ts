import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until the check answers with something true, and answers with that. A check that throws counts as not yet.
 * @param options.timeoutMs after which it fails, with the check's last error. Default: 90000, which is before a test's own
 *   end, so that what was waited for is named
 */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  options: { readonly timeoutMs?: number } = {},
): Promise<NonNullable<Result>> {
  const deadline = Date.now() + (options.timeoutMs ?? 90_000);
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const result = await check();
      if (result) return result;
    } catch (error) {
      last = error;
    }
    await sleep(25);
  }
  throw new Error(`it did not come true in time${last instanceof Error ? `: ${last.message}` : ""}`);
}
