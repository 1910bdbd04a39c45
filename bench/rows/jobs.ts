import { setTimeout as sleep } from "node:timers/promises";
import type { Cpu } from "../cpu.ts";
import { load, median } from "../load.ts";
import type { Bench, Row } from "../row.ts";
import { listRuns } from "../runs.ts";

const mostMs = 120_000;

export const jobs: Row = {
  name: "jobs",
  title: "jobs through a one-processor pipeline that saves",
  unit: "/s",
  floor: 1000,
  aim: { result: 4000 },
  raw: "insertsPerSecond",
  async measure(bench) {
    const { plan } = bench;
    const uuids = await bench.stored(plan.jobs);
    await runRound(bench, { name: "bench-jobs-warm-up", uuids: uuids.slice(0, Math.ceil(plan.jobs / 5)) });
    const all: Round[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      all.push(await runRound(bench, { name: `bench-jobs-${round}`, uuids: uuids.slice(0, plan.jobs) }));
    }
    const rounds = all.map((round) => round.perSecond);
    const middle = all.toSorted((a, b) => a.perSecond - b.perSecond)[Math.ceil(all.length / 2) - 1];
    return {
      result: median(rounds),
      rounds,
      details: { jobs_per_round: plan.jobs },
      ...(middle === undefined ? {} : { cpu: middle.cpu }),
    };
  },
};

interface Round {
  readonly perSecond: number;
  readonly cpu: Cpu;
}

/** Each round has a pipeline and a tag of its own, so that each job changes its vCon and saves it. */
async function runRound(
  bench: Bench,
  { name, uuids }: { readonly name: string; readonly uuids: readonly string[] },
): Promise<Round> {
  const { server, plan, signal } = bench;
  await server.call("PUT", `/pipeline/${name}`, {
    pipeline_options: {},
    processors: [{ processor_name: "tag", processor_options: { tags: [`round:${name}`] } }],
  });
  await server.call("POST", `/queue/${name}`);
  await server.call("PATCH", `/queue/${name}`, { paused: true });
  await server.call("POST", `/server/queue/${name}`, { weight: 1 });
  let at = 0;
  await load({
    url: server.url,
    connections: plan.connections,
    durationMs: mostMs,
    most: uuids.length,
    signal,
    next: () => {
      const uuid = uuids[at++];
      if (uuid === undefined) return undefined;
      return {
        method: "PUT",
        path: `/queue/${name}`,
        body: JSON.stringify({ job_type: "vcon_uuid", vcon_uuid: [uuid] }),
      };
    },
  });

  const begun = Date.now();
  const cpu = await bench.withCpu(async () => {
    await server.call("PATCH", `/queue/${name}`, { paused: false });
    await untilEmpty(server, { name, begun, signal });
  });
  const runs = await listRuns(server, { queue: name });
  const done = new Set(runs.filter((run) => run.outcome === "done").map((run) => run.jobId));
  if (runs.length !== uuids.length || done.size !== uuids.length) {
    throw new Error(`${uuids.length} jobs had ${runs.length} runs, and ${done.size} were done`);
  }
  const ended = runs.reduce((latest, run) => Math.max(latest, run.finishedAt), 0);
  await server.call("DELETE", `/server/queue/${name}`);
  await server.call("DELETE", `/queue/${name}`);
  return { perSecond: (uuids.length / (ended - begun)) * 1000, cpu };
}

/** Looks seldom, so as not to disturb; when the last one ended is in its run. */
async function untilEmpty(
  server: Bench["server"],
  { name, begun, signal }: { readonly name: string; readonly begun: number; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    await sleep(200, undefined, { signal });
    const waiting = await server.call("GET", `/queue/${name}?limit=1`);
    const empty = Array.isArray(waiting) && waiting.length === 0;
    if (empty && (await listRuns(server, { queue: name, active: true })).length === 0) return;
    if (Date.now() - begun > mostMs)
      throw new Error(`the jobs of ${name} did not end within ${mostMs / 1000} seconds`);
  }
}
