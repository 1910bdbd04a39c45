import { type Load, type LoopOptions, load, loop, median, type Request } from "./load.ts";
import type { Bench, Measured } from "./row.ts";

/** Measures a kind of request in several rounds, after a warm-up. */
export async function measureRequests(bench: Bench, next: () => Request): Promise<Measured> {
  const { plan, server, signal } = bench;
  const run = (durationMs: number): Promise<Load> =>
    load({ url: server.url, connections: plan.connections, durationMs, signal, next });
  await run(plan.warmUpMs);
  const loads: Load[] = [];
  const cpu = await bench.withCpu(async () => {
    for (let round = 0; round < plan.rounds; round++) loads.push(await run(plan.roundMs));
  });
  const rounds = loads.map((entry) => entry.perSecond);
  return {
    result: median(rounds),
    rounds,
    details: {
      requests: loads.reduce((total, entry) => total + entry.requests, 0),
      p50_ms: median(loads.map((entry) => entry.latency.p50)),
      p95_ms: median(loads.map((entry) => entry.latency.p95)),
      p99_ms: median(loads.map((entry) => entry.latency.p99)),
    },
    cpu,
  };
}

/** Measures something that takes several requests in several rounds, after a warm-up. @param loops.prepare before each round */
export async function measureLoops(
  bench: Bench,
  loops: Pick<LoopOptions, "lanes" | "token" | "once"> & { readonly prepare?: () => Promise<void> },
): Promise<Measured> {
  const { plan, server, signal } = bench;
  const { prepare, ...rest } = loops;
  const run = async (durationMs: number) => await loop({ ...rest, url: server.url, durationMs, signal });
  await prepare?.();
  await run(plan.warmUpMs);
  const rounds: number[] = [];
  const cpu = await bench.withCpu(async () => {
    for (let round = 0; round < plan.rounds; round++) {
      await prepare?.();
      rounds.push(await run(plan.roundMs));
    }
  });
  return { result: median(rounds), rounds, details: {}, cpu };
}
