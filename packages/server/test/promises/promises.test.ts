import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";
import { finishedRuns, inGroups, marks, once, queueLoad, runsOf, untilDone } from "./jobs-load.ts";
import { call, kill, makePlugins, type ServerProcess, startServer } from "./server-process.ts";

// What a user counts on when processes die: each job's effect is there exactly once, and nobody has to lend a hand.

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setUp(options: { readonly embedded?: boolean } = {}) {
  const plugins = await makePlugins();
  const directory = await mkdtemp(join(tmpdir(), "vconductor-promises-"));
  cleanups.push(plugins.remove, () => rm(directory, { recursive: true, force: true }));
  let storage = `embedded:${join(directory, "data")}`;
  if (!options.embedded) {
    const database = await createDatabase();
    cleanups.push(database.drop);
    storage = database.url;
  }
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> => {
    const server = await startServer({ VCON_STORAGE_URL: storage, PLUGIN_PATHS: plugins.directory, ...env });
    cleanups.push(async () => {
      await server.stop();
      await server.killAll();
    });
    return server;
  };
  return { start, directory };
}

async function definePipeline(
  url: string,
  options: {
    readonly queue: string;
    readonly processor: string;
    readonly processorOptions?: object;
    readonly pipelineOptions?: object;
  },
): Promise<void> {
  const { queue, processor, processorOptions = {}, pipelineOptions = {} } = options;
  const definition = {
    pipeline_options: pipelineOptions,
    processors: [{ processor_name: processor, processor_options: processorOptions }],
  };
  expect((await call("PUT", `${url}/pipeline/${queue}`, definition)).status).toBe(204);
  expect((await call("POST", `${url}/queue/${queue}`)).status).toBe(204);
  expect((await call("POST", `${url}/server/queue/${queue}`, { weight: 1 })).status).toBe(204);
}

test("kill -9 of a pipeline worker in the middle of a run: the job comes back at once, and takes effect once", async () => {
  const { start, directory } = await setUp();
  const server = await start({ LEASE_SECONDS: "600" });
  const inside = join(directory, "inside");
  const open = join(directory, "open");
  await definePipeline(server.url, { queue: "q", processor: "gate", processorOptions: { inside, open } });
  await call("POST", `${server.url}/vcon`, { uuid: "one", parties: [] });
  await call("PUT", `${server.url}/queue/q`, { vcon_uuid: ["one"] });
  await eventually(() => existsSync(inside));
  const [worker] = server.workers();
  await rm(inside);
  kill(worker ?? 0);
  // With a lease of ten minutes, only the supervisor can have brought it back.
  await eventually(() => existsSync(inside));
  await writeFile(open, "");
  await untilDone(server.url, "q");
  expect(await marks(server.url, ["one"])).toEqual({ one: 1 });
  const runs = await runsOf(server.url);
  expect(runs.map((run) => run.outcome)).toEqual(["done", "crashed"]);
  expect(runs[0]).toMatchObject({ attempt: 1 });
  expect(runs[1]?.error).toMatchObject({ code: "worker_died" });
});

test("a job that keeps killing its worker goes to the failure queue; its neighbours come through", async () => {
  const { start } = await setUp();
  const server = await start({ CRASH_LIMIT: "3" });
  await call("POST", `${server.url}/queue/broken`);
  await definePipeline(server.url, {
    queue: "q",
    processor: "crash",
    pipelineOptions: { failure_queue: "broken" },
  });
  await call("PATCH", `${server.url}/queue/q`, { paused: true });
  const uuids = await queueLoad(server.url, { queue: "q", count: 20 });
  await call("POST", `${server.url}/vcon`, { uuid: "deadly", subject: "deadly", parties: [] });
  await call("PUT", `${server.url}/queue/q`, { vcon_uuid: ["deadly"] });
  await call("PATCH", `${server.url}/queue/q`, { paused: false });
  await untilDone(server.url, "q");
  expect(await marks(server.url, uuids)).toEqual(once(uuids));
  const { body } = await call("GET", `${server.url}/queue/broken`);
  expect(body).toEqual([
    expect.objectContaining({
      vcon_uuid: ["deadly"],
      queue: "q",
      failure: expect.objectContaining({ code: "worker_died", message: expect.stringContaining("3 times") }),
    }),
  ]);
});

test("a processor that will not stop loses its worker; its neighbours come through", async () => {
  const { start } = await setUp();
  const server = await start();
  await definePipeline(server.url, { queue: "q", processor: "busy", pipelineOptions: { timeout: 1 } });
  const uuids = await queueLoad(server.url, { queue: "q", count: 20 });
  await call("POST", `${server.url}/vcon`, { uuid: "busy", subject: "busy", parties: [] });
  await call("PUT", `${server.url}/queue/q`, { vcon_uuid: ["busy"] });
  await untilDone(server.url, "q");
  expect(await marks(server.url, [...uuids, "busy"])).toEqual({ ...once(uuids), busy: 0 });
  const { body } = await call("GET", `${server.url}/queue/q/failed`);
  expect(body).toMatchObject({ jobs: [{ vcon_uuid: ["busy"], error: { code: "pipeline_timeout" } }] });
});

test.each(["the server process alone", "the server and its workers"])(
  "kill -9 of %s under load: after a restart every job has taken effect once",
  async (what) => {
    const { start } = await setUp();
    const server = await start({ NUM_WORKERS: "2" });
    await definePipeline(server.url, { queue: "q", processor: "append", processorOptions: { ms: 20 } });
    const uuids = await queueLoad(server.url, { queue: "q", count: 200 });
    await eventually(async () => (await finishedRuns(server.url)) > 0);
    if (what === "the server process alone") {
      kill(server.child.pid ?? 0);
      await eventually(() => server.child.signalCode !== null);
    } else await server.killAll();
    const again = await start({ NUM_WORKERS: "2", REST_URL: server.url });
    expect((await call("GET", `${again.url}/server/queues`)).body).toEqual({ q: { weight: 1 } });
    await untilDone(again.url, "q");
    expect(await marks(again.url, uuids)).toEqual(once(uuids));
    expect(await finishedRuns(again.url)).toBe(200);
    // The killed server's record goes by itself, as the new one has taken its address.
    await eventually(async () => Object.keys((await call("GET", `${again.url}/servers`)).body).length === 1);
  },
);

test("PostgreSQL killed under load: jobs and requests go on by themselves, and nothing acknowledged is lost", async () => {
  const { start, directory } = await setUp({ embedded: true });
  const server = await start();
  await definePipeline(server.url, { queue: "q", processor: "append", processorOptions: { ms: 20 } });
  const uuids = await queueLoad(server.url, { queue: "q", count: 200 });
  const stored: string[] = [];
  const odd: number[] = [];
  let writing = true;
  const writer = (async () => {
    for (let n = 0; writing; n++) {
      const uuid = `written-${n}`;
      const { status, headers } = await call("POST", `${server.url}/vcon`, { uuid, parties: [] });
      if (status === 204) stored.push(uuid);
      else if (status !== 503 || headers.get("retry-after") === null) odd.push(status);
    }
  })();
  await eventually(async () => (await finishedRuns(server.url)) > 0);
  const pidFile = join(directory, "data", "postgres", "postmaster.pid");
  const before = readFileSync(pidFile, "utf8").split("\n")[0];
  kill(Number(before));
  await eventually(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").split("\n")[0] !== before);
  const writtenBefore = stored.length;
  await eventually(() => stored.length > writtenBefore + 20);
  writing = false;
  await writer;
  await untilDone(server.url, "q");
  expect(await marks(server.url, uuids)).toEqual(once(uuids));
  expect(odd).toEqual([]);
  await inGroups(stored, async (uuid) => {
    expect((await call("GET", `${server.url}/vcon/${uuid}`)).status).toBe(200);
  });
});

test("two servers, one killed under load: the other does every job once, without a restart", async () => {
  const { start } = await setUp();
  const env = { WORK_QUEUES: "q" };
  const first = await start(env);
  const second = await start(env);
  await definePipeline(first.url, { queue: "q", processor: "append", processorOptions: { ms: 20 } });
  const uuids = await queueLoad(first.url, { queue: "q", count: 200 });
  await eventually(async () => (await finishedRuns(second.url)) > 0);
  await first.killAll();
  await untilDone(second.url, "q");
  expect(await marks(second.url, uuids)).toEqual(once(uuids));
  expect(await finishedRuns(second.url)).toBe(200);
});

test("50 jobs that each append one analysis to the same vCon, on 2 servers with 4 workers each, leave exactly 50", async () => {
  const { start } = await setUp();
  const env = { WORK_QUEUES: "q", NUM_WORKERS: "4" };
  const [first, second] = [await start(env), await start(env)];
  await definePipeline(first.url, { queue: "q", processor: "append", processorOptions: { ms: 5 } });
  await call("POST", `${first.url}/vcon`, { uuid: "same", parties: [] });
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const { url } = index % 2 === 0 ? first : second;
      expect((await call("PUT", `${url}/queue/q`, { vcon_uuid: ["same"] })).status).toBe(200);
    }),
  );
  await untilDone(second.url, "q");
  expect(await marks(second.url, ["same"])).toEqual({ same: 50 });
});

test("SIGTERM under load: what does not finish in time is handed back, and no attempt is used up", async () => {
  const { start, directory } = await setUp();
  const inside = join(directory, "inside");
  const open = join(directory, "open");
  const server = await start({ STOP_GRACE_SECONDS: "1" });
  await definePipeline(server.url, { queue: "q", processor: "gate", processorOptions: { inside, open } });
  await call("POST", `${server.url}/vcon`, { uuid: "one", parties: [] });
  await call("PUT", `${server.url}/queue/q`, { vcon_uuid: ["one"] });
  await eventually(() => existsSync(inside));
  expect(await server.stop()).toBe(0);
  await writeFile(open, "");
  const again = await start({ REST_URL: server.url });
  await untilDone(again.url, "q");
  const runs = await runsOf(again.url);
  expect(runs.map((run) => run.outcome)).toEqual(["done", "released"]);
  expect(runs[0]).toMatchObject({ attempt: 1 });
  expect(await marks(again.url, ["one"])).toEqual({ one: 1 });
  expect(Object.keys((await call("GET", `${again.url}/servers`)).body)).toHaveLength(1);
});
