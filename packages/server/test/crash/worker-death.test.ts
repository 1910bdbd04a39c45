import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../setup/eventually.ts";
import { isAlive, kill, openSite, processesInside } from "./harness.ts";
import {
  call,
  defineWork,
  expectOnce,
  inGroups,
  marksOf,
  names,
  queueJob,
  queueLoad,
  runs,
  store,
  storeMany,
  untilEnded,
  waitingJobs,
} from "./load.ts";

// What becomes of the runs of one worker that dies, or must be ended, while its server lives.

test("kill -9 of a worker in the middle of a run: the job comes back at once and takes effect once", async () => {
  // With a lease this long, only the supervisor can have brought it back.
  const site = await openSite({ env: { LEASE_SECONDS: "3600" } });
  const server = await site.start();
  const [inside, open] = [join(site.directory, "inside"), join(site.directory, "open")];
  await defineWork(server.url, { processor: "gate", options: { inside, open } });
  await store(server.url, "one");
  await queueJob(server.url, ["one"]);
  const victim = await eventually(() => processesInside(inside)[0]);
  expect(server.workers()).toEqual([victim]);
  await rm(inside);
  kill(victim);
  await eventually(() => processesInside(inside).length > 0);
  await writeFile(open, "");
  await untilEnded(server.url, 1);
  await expectOnce(server.url, ["one"]);
  const history = await runs(server.url);
  // The crash has not used up the only attempt.
  expect(history.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
    ["done", 1],
    ["crashed", 1],
  ]);
  expect(history[1]?.error).toMatchObject({
    code: "worker_died",
    message: expect.stringContaining("SIGKILL"),
  });
  expect(server.child.exitCode).toBe(null);
});

test("kill -9 of workers again and again under load: every job takes effect once", async () => {
  const site = await openSite({ env: { NUM_WORKERS: "2", CRASH_LIMIT: "1000" } });
  const server = await site.start();
  await defineWork(server.url, { processor: "mark", options: { ms: 20 } });
  const uuids = await queueLoad(server.url, 100);
  for (const done of [5, 20, 35, 50]) {
    await eventually(async () => (await runs(server.url, { outcome: "done" })).length >= done);
    const [victim] = await eventually(() => (server.workers().length > 0 ? server.workers() : undefined));
    kill(victim ?? 0);
  }
  await untilEnded(server.url, uuids.length);
  await expectOnce(server.url, uuids);
});

test("a job that keeps killing its worker goes to the failure queue; its neighbours come through", async () => {
  const site = await openSite({ env: { CRASH_LIMIT: "3" } });
  const server = await site.start();
  await call("POST", `${server.url}/queue/broken`);
  await defineWork(server.url, {
    processor: "deadly",
    pipeline: { failure_queue: "broken", retry_limit: 5 },
  });
  await call("PATCH", `${server.url}/queue/work`, { body: { paused: true } });
  await store(server.url, "deadly", { subject: "deadly" });
  const uuids = names("load", 20);
  await storeMany(server.url, uuids);
  await inGroups(uuids.slice(0, 10), (uuid) => queueJob(server.url, [uuid]));
  await queueJob(server.url, ["deadly"]);
  await inGroups(uuids.slice(10), (uuid) => queueJob(server.url, [uuid]));
  await call("PATCH", `${server.url}/queue/work`, { body: { paused: false } });
  await untilEnded(server.url, uuids.length);
  await eventually(async () => (await waitingJobs(server.url, "broken")).length > 0);
  await expectOnce(server.url, uuids, { except: ["deadly"] });
  expect(await waitingJobs(server.url, "broken")).toEqual([
    expect.objectContaining({
      vcon_uuid: ["deadly"],
      queue: "work",
      failure: expect.objectContaining({
        code: "worker_died",
        message: expect.stringMatching(/died 3 times.*SIGKILL/),
      }),
    }),
  ]);
  const deadly = await runs(server.url, { vcon: "deadly" });
  expect(deadly.map((run) => run.outcome)).toEqual(["crashed", "crashed", "crashed"]);
});

test("a busy loop past its timeout fails with pipeline_timeout and loses its worker; its neighbours come through", async () => {
  // A lease that ran out would show as such below.
  const site = await openSite({ env: { LEASE_SECONDS: "3600" } });
  const server = await site.start();
  const inside = join(site.directory, "inside");
  await defineWork(server.url, {
    processor: "stuck",
    options: { how: "busy", inside },
    pipeline: { timeout: 1 },
  });
  await store(server.url, "stuck", { subject: "stuck" });
  const uuids = names("load", 20);
  await storeMany(server.url, uuids);
  await inGroups(uuids.slice(0, 2), (uuid) => queueJob(server.url, [uuid]));
  await queueJob(server.url, ["stuck"]);
  await inGroups(uuids.slice(2), (uuid) => queueJob(server.url, [uuid]));
  await untilEnded(server.url, uuids.length + 1);
  await expectOnce(server.url, uuids, { except: ["stuck"] });
  const failed = await runs(server.url, { outcome: "failed" });
  expect(failed).toMatchObject([{ vcon_uuid: ["stuck"], error: { code: "pipeline_timeout" } }]);
  // Those that shared its worker had to begin again, which has used up no attempt.
  for (const crash of await runs(server.url, { outcome: "crashed" })) {
    expect(crash).toMatchObject({ attempt: 1, error: { code: "worker_died" } });
  }
  const victims = processesInside(inside);
  expect(victims.filter(isAlive)).toEqual([]);
  await eventually(() => server.workers().length === 1);
});

test("a processor that is deaf to its timeout fails; its worker is replaced after its neighbours have ended", async () => {
  const site = await openSite();
  const server = await site.start();
  const [victim] = server.workers();
  await defineWork(server.url, { processor: "stuck", options: { how: "deaf" }, pipeline: { timeout: 1 } });
  await store(server.url, "stuck", { subject: "stuck" });
  await queueJob(server.url, ["stuck"]);
  const uuids = await queueLoad(server.url, 10);
  await untilEnded(server.url, uuids.length + 1);
  await expectOnce(server.url, uuids, { except: ["stuck"] });
  expect(await runs(server.url, { outcome: "failed" })).toMatchObject([
    { error: { code: "pipeline_timeout" } },
  ]);
  await eventually(() => server.workers().length === 1 && server.workers()[0] !== victim);
  await queueJob(server.url, ["load-000"]);
  await untilEnded(server.url, uuids.length + 2);
  expect(await marksOf(server.url, "load-000")).toEqual(["load-000", "load-000"]);
});

test.each(["busy", "deaf"])(
  "a cancelled run whose processor does not stop (%s) ends as cancelled",
  async (how) => {
    const site = await openSite();
    const server = await site.start();
    const inside = join(site.directory, "inside");
    await defineWork(server.url, {
      processor: "stuck",
      options: { how, inside },
      pipeline: { retry_limit: 3 },
    });
    await store(server.url, "stuck", { subject: "stuck" });
    await queueJob(server.url, ["stuck"]);
    const victim = await eventually(() => processesInside(inside)[0]);
    const [run] = await runs(server.url, { active: "true" });
    expect((await call("POST", `${server.url}/runs/${run?.id}/cancel`)).status).toBe(202);
    const ended = await call("GET", `${server.url}/runs/${run?.id}/wait?timeout=20`);
    expect(ended.body).toMatchObject({ outcome: "cancelled", error: { code: "run_cancelled" } });
    await eventually(() => !isAlive(victim));
    // The job is gone; the next one finds a worker.
    const uuids = await queueLoad(server.url, 3);
    await untilEnded(server.url, uuids.length + 1);
    await expectOnce(server.url, uuids, { except: ["stuck"] });
    expect(await runs(server.url, { vcon: "stuck" })).toHaveLength(1);
  },
);
