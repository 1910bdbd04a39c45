import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../load.ts";
import type { Bench, Row } from "../row.ts";
import { listRuns } from "../runs.ts";

const queue = "bench-pickup";
const mostMs = 30_000;

export const pickup: Row = {
  name: "pickup",
  title: "idle pickup, enqueue to start, p95",
  unit: "ms",
  floor: 50,
  aim: { result: 10 },
  async measure(bench) {
    const { server, plan, signal } = bench;
    const uuids = await bench.stored(plan.pickups);
    await server.call("PUT", `/pipeline/${queue}`, {
      pipeline_options: {},
      processors: [{ processor_name: "tag", processor_options: { tags: ["picked-up"] } }],
    });
    await server.call("POST", `/queue/${queue}`);
    await server.call("POST", `/server/queue/${queue}`, { weight: 1 });
    const starts: number[] = [];
    const ends: number[] = [];
    for (const uuid of uuids.slice(0, plan.pickups)) {
      // Never in step with whatever the server does at intervals.
      await sleep(20 + Math.random() * 60, undefined, { signal });
      const sent = Date.now();
      const run = await ended(bench, await server.queueVcon(queue, uuid));
      starts.push(Math.max(0, run.claimedAt - sent));
      ends.push(Math.max(0, run.finishedAt - sent));
    }
    await server.call("DELETE", `/server/queue/${queue}`);
    for (const times of [starts, ends]) times.sort((a, b) => a - b);
    const result = percentile(starts, 95);
    return {
      result,
      rounds: [result],
      details: {
        jobs: starts.length,
        start_p50_ms: percentile(starts, 50),
        start_p95_ms: result,
        start_max_ms: starts.at(-1) ?? 0,
        end_p50_ms: percentile(ends, 50),
        end_p95_ms: percentile(ends, 95),
      },
    };
  },
};

async function ended({ server, signal }: Bench, job: number) {
  const begun = Date.now();
  for (;;) {
    const run = (await listRuns(server, { queue, job })).find((entry) => entry.outcome !== undefined);
    if (run?.outcome === "done") return run;
    if (run !== undefined) throw new Error(`a single job came out as ${run.outcome}`);
    if (Date.now() - begun > mostMs)
      throw new Error(`a single job did not end within ${mostMs / 1000} seconds`);
    await sleep(10, undefined, { signal });
  }
}
