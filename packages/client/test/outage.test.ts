import { afterEach, expect, it } from "vitest";
import { eventually } from "../../server/test/setup/eventually.ts";
import { createWorker, type JobHandler, type Worker, type WorkerEvent } from "../src/index.ts";
import { Outage } from "../src/outage.ts";
import {
  type Asked,
  jobsOf,
  type Said,
  type ScriptedServer,
  startScriptedServer,
} from "./scripted-server.ts";

// What a worker does while the server is away, busy, or not itself: a server that answers as needed.

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function serve(say: (asked: Asked) => Said | "nothing"): Promise<ScriptedServer> {
  const server = await startScriptedServer(say);
  ends.push(() => server.stop());
  return server;
}

function work(server: ScriptedServer, more: { handler?: JobHandler; concurrency?: number; name?: string }) {
  const events: WorkerEvent[] = [];
  const worker: Worker = createWorker({
    url: server.url,
    queue: "q",
    leaseSeconds: 3,
    drainSeconds: 0,
    stopOnSignals: false,
    handler: () => null,
    onEvent: (event) => void events.push(event),
    ...more,
  });
  ends.push(() => worker.stop());
  const types = () => events.map(({ type }) => type);
  return { worker, events, types };
}

const untilStopped: JobHandler = (_, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));

it("an outage is told once for the whole worker, and its end once", async () => {
  let isAway = false;
  let isClaimed = false;
  const server = await serve(({ what }) => {
    if (isAway) return { status: 503 };
    if (what !== "claim") return { body: { cancelled: false, drain: false } };
    if (isClaimed) return "nothing";
    isClaimed = true;
    return jobsOf(1, 2);
  });
  const finish = Promise.withResolvers<void>();
  const { types } = work(server, {
    concurrency: 3,
    async handler(job, { progress }) {
      const talking = setInterval(() => progress(50, "still at it"), 20);
      await finish.promise;
      clearInterval(talking);
      return job.run_id;
    },
  });
  const count = (what: string, runId?: number) =>
    server.asked.filter((one) => one.what === what && one.runId === runId).length;
  await eventually(() => count("heartbeat", 1) > 0 && count("heartbeat", 2) > 0);
  isAway = true;
  const before = [count("heartbeat", 1), count("heartbeat", 2)] as const;
  await eventually(() => count("heartbeat", 1) > before[0] + 2 && count("heartbeat", 2) > before[1] + 2);
  finish.resolve();
  await eventually(() => count("complete", 1) > 2 && count("complete", 2) > 2);
  expect(types()).toEqual(["started", "unreachable"]);
  isAway = false;
  await eventually(() => types().filter((type) => type === "done").length === 2);
  await eventually(() => types().includes("reachable"));
  expect(types().toSorted()).toEqual(["done", "done", "reachable", "started", "unreachable"]);
});

it("an outage ends with an answer to anybody, also if the last that waited for one asks no more", () => {
  const told: string[] = [];
  const outage = new Outage(({ type }) => told.push(type));
  const [job, heartbeats] = [{}, {}];
  outage.failed(heartbeats, new Error("away"));
  outage.failed(job, new Error("away"));
  outage.answered(job);
  expect(told).toEqual(["unreachable"]);
  outage.gone(heartbeats);
  expect(told).toEqual(["unreachable", "reachable"]);
  // Nobody has heard of the server since.
  outage.failed(job, new Error("away again"));
  outage.gone(job);
  expect(told).toEqual(["unreachable", "reachable", "unreachable"]);
});

it("news of a job does not make a worker ask a server more often that is away", async () => {
  const server = await serve(({ what }) => {
    if (what === "claim") return server.asked.length > 1 ? "nothing" : jobsOf(1);
    return { status: 503 };
  });
  work(server, {
    handler(job, context) {
      const talking = setInterval(() => context.progress(50), 20);
      context.signal.addEventListener("abort", () => clearInterval(talking));
      return untilStopped(job, context);
    },
  });
  const beats = () => server.asked.filter(({ what }) => what === "heartbeat").map(({ at }) => at);
  await eventually(() => beats().length >= 4);
  const [first = 0, ...more] = beats();
  let last = first;
  for (const at of more) {
    expect(at - last).toBeGreaterThan(900);
    last = at;
  }
});

it.each([429, 503])("waits at least as long as a server asks it to: %i", async (status) => {
  const server = await serve(({ what, runId }) => {
    const earlier = server.asked.filter((one) => one.what === what && one.runId === runId).length > 1;
    if (!earlier) return { status, headers: { "retry-after": "1" } };
    if (what !== "claim") return {};
    return server.asked.some((one) => one.what === "complete") ? "nothing" : jobsOf(1);
  });
  const { types } = work(server, {});
  await eventually(() => types().includes("done"));
  for (const kind of ["claim", "complete"]) {
    const [first, second] = server.asked.filter(({ what }) => what === kind);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900);
  }
});

it("an answer that is none of vConductor's is tried again", async () => {
  const strange = [{ hello: "world" }, "<html>", { jobs: 5 }, { jobs: [null] }];
  const server = await serve(({ what }) => {
    if (what !== "claim") return {};
    const body = strange[server.asked.length - 1];
    if (body !== undefined) return { body };
    return server.asked.some((one) => one.what === "complete") ? "nothing" : jobsOf(1);
  });
  const { types } = work(server, {});
  await eventually(() => types().includes("done") && types().includes("reachable"));
  expect(types().toSorted()).toEqual(["done", "reachable", "started", "unreachable"]);
});

it("that it was disabled is told once", async () => {
  const server = await serve(({ what }) => {
    if (what !== "claim") return {};
    if (server.asked.length <= 3) return { body: { jobs: [], drain: true } };
    return server.asked.length === 4 ? jobsOf(1) : "nothing";
  });
  const { types } = work(server, {});
  await eventually(() => types().includes("done"));
  expect(types()).toEqual(["started", "disabled", "done"]);
});

it("a handler that does not obey its signal is left behind, and its late result is not sent", async () => {
  const server = await serve(({ what }) => {
    if (what !== "claim") return { body: { cancelled: false } };
    return server.asked.length > 1 ? "nothing" : jobsOf(1);
  });
  const begun = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  const { worker, events } = work(server, {
    async handler() {
      begun.resolve();
      await late.promise;
      return "late";
    },
  });
  await begun.promise;
  await worker.stop();
  expect(events.at(-1)).toMatchObject({ type: "stopped", reason: "stopping" });
  late.resolve();
  // Whatever was sent before this has come before it.
  await fetch(`${server.url}/work/q/last`, { method: "POST" });
  await fetch(`${server.url}/work/q/last`, { method: "POST" });
  const ends = server.asked.filter(({ what }) => ["complete", "fail", "release"].includes(what));
  expect(ends.map(({ what }) => what)).toEqual(["release"]);
});

it("stops although the server cannot be told what becomes of a job", async () => {
  const server = await serve(({ what, runId }) => {
    if (what === "claim") return jobsOf(1, 2);
    return runId === 1 ? "nothing" : { status: 503, headers: { "retry-after": "50" } };
  });
  const { worker, types } = work(server, { concurrency: 2, handler: untilStopped });
  await eventually(() => server.asked.some(({ what }) => what === "heartbeat"));
  await worker.stop();
  expect(types().filter((type) => type === "stopped")).toHaveLength(2);
});
