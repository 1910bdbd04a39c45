import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../setup/eventually.ts";
import { isAlive, openSite, processesInside } from "./harness.ts";
import {
  call,
  defineWork,
  expectOnce,
  queueJob,
  queueLoad,
  runs,
  store,
  untilEnded,
  untilSomeDone,
} from "./load.ts";

// What becomes of the work of a whole server that dies or is stopped.

interface ServerRecord {
  readonly state: string;
  readonly pid: number;
}

async function servers(url: string): Promise<readonly ServerRecord[]> {
  const { body } = await call("GET", `${url}/servers`);
  const records: Readonly<Record<string, ServerRecord>> = body;
  return Object.values(records);
}

test.each(["the main process alone", "the main process and its workers"])(
  "kill -9 of %s under load: after a restart every job has taken effect once",
  async (what) => {
    const site = await openSite({ env: { NUM_WORKERS: "2", WORK_QUEUES: "configured:3" } });
    const server = await site.start();
    await defineWork(server.url, { processor: "mark", options: { ms: 20 } });
    await call("POST", `${server.url}/server/queue/work`, { body: { weight: 5 } });
    const workers = server.workers();
    const uuids = await queueLoad(server.url, 200);
    await untilSomeDone(server.url);
    if (what === "the main process alone") await server.killMain();
    else await server.killAll();

    const again = await site.start({ REST_URL: server.url });
    expect((await call("GET", `${again.url}/server/queues`)).body).toEqual({
      configured: { weight: 3 },
      work: { weight: 5 },
    });
    await untilEnded(again.url, uuids.length);
    await expectOnce(again.url, uuids);
    // Workers without a server end by themselves.
    await eventually(() => !workers.some(isAlive));
    await eventually(async () => (await servers(again.url)).length === 1);
    expect(await servers(again.url)).toMatchObject([{ state: "running", pid: again.child.pid }]);
  },
);

test("kill -9 of the main process while a worker is in a busy loop: the worker ends too, and its job comes back", async () => {
  const site = await openSite({ env: { STOP_GRACE_SECONDS: "1" } });
  const server = await site.start();
  const inside = join(site.directory, "inside");
  await defineWork(server.url, { processor: "stuck", options: { how: "busy", inside } });
  await store(server.url, "stuck", { subject: "stuck" });
  await queueJob(server.url, ["stuck"]);
  const orphan = await eventually(() => processesInside(inside)[0]);
  await rm(inside);
  await server.killMain();
  await eventually(() => !isAlive(orphan), { timeoutMs: 20_000 });
  const again = await site.start({ REST_URL: server.url });
  await eventually(() => processesInside(inside).length > 0);
  expect((await runs(again.url)).map((run) => run.outcome)).toEqual([null, "crashed"]);
});

test("two servers, kill -9 of one under load: the other does the rest, without a restart", async () => {
  const site = await openSite();
  const [first, second] = await Promise.all([site.start(), site.start()]);
  await defineWork([first.url, second.url], { processor: "mark", options: { ms: 20 } });
  const uuids = await queueLoad(first.url, 200);
  await untilSomeDone(second.url);
  // Both are at it.
  await eventually(async () => {
    const done = await runs(second.url, { outcome: "done" });
    return new Set(done.map((run) => run.worker.split("#")[0])).size === 2;
  });
  await first.killAll();
  await untilEnded(second.url, uuids.length);
  await expectOnce(second.url, uuids);
  // It is shown as dead until its successor at the same address has registered.
  await eventually(async () => (await servers(second.url)).some((one) => one.state === "dead"));
  expect((await servers(second.url)).find((one) => one.state === "dead")).toMatchObject({
    pid: first.child.pid,
  });
  const again = await site.start({ REST_URL: first.url });
  await eventually(async () => (await servers(second.url)).every((one) => one.state === "running"));
  expect((await servers(again.url)).map((one) => one.pid).sort()).toEqual(
    [second.child.pid, again.child.pid].sort(),
  );
});

test("SIGTERM under load: what does not end in time is handed back, and no attempt is used up", async () => {
  const site = await openSite({ env: { STOP_GRACE_SECONDS: "1" } });
  const [inside, open] = [join(site.directory, "inside"), join(site.directory, "open")];
  const server = await site.start();
  await defineWork(server.url, { processor: "gate", options: { inside, open } });
  const uuids = await queueLoad(server.url, 20);
  await eventually(() => processesInside(inside).length === 4);
  const begun = performance.now();
  expect(await server.stop()).toBe(0);
  // The grace of a second, the processors heed their signal, and a slow machine's share.
  expect(performance.now() - begun).toBeLessThan(8000);
  await writeFile(open, "");

  const again = await site.start();
  // It has taken itself off the list, and another address tends nothing of its own accord.
  expect(await servers(again.url)).toMatchObject([{ pid: again.child.pid }]);
  expect((await runs(again.url)).map((run) => run.outcome)).toEqual(Array(4).fill("released"));
  await call("POST", `${again.url}/server/queue/work`, { body: { weight: 1 } });
  await untilEnded(again.url, uuids.length);
  await expectOnce(again.url, uuids);
  expect(new Set((await runs(again.url)).map((run) => run.attempt))).toEqual(new Set([1]));
});

test("SIGTERM under load of short jobs: those under way end, the rest wait for the next start", async () => {
  const site = await openSite();
  const server = await site.start();
  await defineWork(server.url, { processor: "mark", options: { ms: 50 } });
  const uuids = await queueLoad(server.url, 100);
  await untilSomeDone(server.url, 10);
  expect(await server.stop()).toBe(0);
  const again = await site.start({ REST_URL: server.url });
  await untilEnded(again.url, uuids.length);
  await expectOnce(again.url, uuids);
  expect(await runs(again.url)).toHaveLength(100);
});
