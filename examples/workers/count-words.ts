/**
 * A worker that counts the words of each party: an example to start from.
 *
 *   node examples/workers/count-words.ts
 *
 * Settings, as environment variables: VCONDUCTOR_URL (http://127.0.0.1:8000), VCONDUCTOR_TOKEN, QUEUE (count-words),
 * WORKER_NAME, CONCURRENCY (2), LEASE_SECONDS (30), MAKE_QUEUE (yes), and PACE: seconds that it takes over each turn (0).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, createWorker, JobError, type Json } from "@vconductor/client";

const { env } = process;
const url = env.VCONDUCTOR_URL ?? "http://127.0.0.1:8000";
const token = env.VCONDUCTOR_TOKEN;
const queue = env.QUEUE ?? "count-words";
const pace = Number(env.PACE ?? 0);

/** What a party said at a time. */
interface Turn {
  readonly parties?: number | readonly number[];
  readonly body?: unknown;
}

/** The words of each party, by its number, and the analysis that becomes a part of the vCon. */
function toAnalysis(words: Readonly<Record<string, number>>): Json {
  return {
    analysis: [{ type: "word_count", vendor: "example", encoding: "json", body: JSON.stringify(words) }],
  };
}

if (env.MAKE_QUEUE !== "no") await new Client({ url, token }).makeQueue(queue);

const worker = createWorker({
  url,
  token,
  queue,
  name: env.WORKER_NAME ?? "count-words",
  concurrency: Number(env.CONCURRENCY ?? 2),
  leaseSeconds: Number(env.LEASE_SECONDS ?? 30),
  info: { language: "TypeScript" },
  async handler({ payload }, { signal, progress }) {
    const vcon = Object(payload).vcon;
    if (vcon === undefined)
      throw new JobError("the payload has no vcon", { code: "no_vcon", retryable: false });
    const turns: readonly Turn[] = vcon.dialog ?? [];
    const words: Record<string, number> = {};
    for (const [index, { parties = 0, body }] of turns.entries()) {
      progress((index / turns.length) * 100, `turn ${index + 1} of ${turns.length}`);
      // Whatever waits is given the signal, so that a cancelled job stops at once.
      if (pace > 0) await sleep(pace * 1000, undefined, { signal });
      const party = String(Array.isArray(parties) ? parties[0] : parties);
      const text = typeof body === "string" ? body.trim() : "";
      words[party] = (words[party] ?? 0) + (text === "" ? 0 : text.split(/\s+/).length);
    }
    return toAnalysis(words);
  },
});

await worker.stopped;
