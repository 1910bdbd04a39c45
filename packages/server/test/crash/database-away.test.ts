import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { proxyTo } from "../setup/database-proxy.ts";
import { eventually } from "../setup/eventually.ts";
import { isAlive, kill, openSite, postmasterOf, processesInside, type ServerProcess } from "./harness.ts";
import {
  type Answer,
  call,
  defineWork,
  expectOnce,
  inGroups,
  queueLoad,
  runs,
  untilEnded,
  untilSomeDone,
} from "./load.ts";

// The database goes away and comes back: everything goes on by itself, and nobody has to be restarted.

/** A client that stores vCons one after the other, whatever comes back, until it is stopped. */
function keepWriting(url: string) {
  const stored: string[] = [];
  const refused: Answer[] = [];
  let broken = 0;
  let going = true;
  const work = (async () => {
    for (let number = 0; going; number++) {
      const uuid = `written-${number}`;
      try {
        const answer = await call("POST", `${url}/vcon`, { body: { uuid, parties: [] } });
        if (answer.status < 300) stored.push(uuid);
        else refused.push(answer);
      } catch {
        broken++;
      }
    }
  })();
  return {
    stored,
    refused,
    broken: () => broken,
    async stop() {
      going = false;
      await work;
    },
  };
}

/** The main process and the workers: an outage of the database is no reason for any of them to die. */
function processes(server: ServerProcess): readonly number[] {
  return [server.child.pid ?? 0, ...server.workers()];
}

test("kill -9 of the embedded PostgreSQL under load: it comes back, jobs and requests go on, nothing acknowledged is lost", async () => {
  const site = await openSite({ embedded: true, env: { NUM_WORKERS: "2" } });
  const server = await site.start();
  const before = processes(server);
  await defineWork(server.url, { processor: "mark", options: { ms: 20 } });
  const uuids = await queueLoad(server.url, 200);
  const writer = keepWriting(server.url);
  for (const done of [20, 80]) {
    await untilSomeDone(server.url, done);
    const data = join(site.directory, "data");
    const victim = postmasterOf(data);
    expect(victim).toBeDefined();
    kill(victim ?? 0);
    await eventually(() => postmasterOf(data) !== undefined && postmasterOf(data) !== victim);
    const storedBefore = writer.stored.length;
    await eventually(() => writer.stored.length > storedBefore + 10);
  }
  await writer.stop();
  await untilEnded(server.url, uuids.length);
  await expectOnce(server.url, uuids);
  await inGroups(writer.stored, async (uuid) => {
    expect((await call("GET", `${server.url}/vcon/${uuid}`)).status).toBe(200);
  });
  expect(writer.refused.length + writer.broken()).toBeGreaterThan(0);
  for (const { status, headers, body } of writer.refused) {
    expect([status, Number(headers.get("retry-after")) > 0, body]).toEqual([
      503,
      true,
      expect.objectContaining({ code: "database_unavailable" }),
    ]);
  }
  expect(processes(server)).toEqual(before);
});

test("a given database that is away for longer than a lease: runs under way go on and end once", async () => {
  const site = await openSite();
  const proxy = await proxyTo(await site.database());
  site.atEnd(() => proxy.cut());
  const server = await site.start({ VCON_STORAGE_URL: proxy.url });
  const before = processes(server);
  const [inside, open] = [join(site.directory, "inside"), join(site.directory, "open")];
  await defineWork(server.url, { processor: "gate", options: { inside, open } });
  const uuids = await queueLoad(server.url, 20);
  await eventually(() => processesInside(inside).length === 4);
  const [run] = await runs(server.url, { active: "true" });
  const leaseUntil = Date.parse(run?.lease_until ?? "");
  await proxy.cut();
  expect((await call("GET", `${server.url}/health/ready`)).status).toBe(503);
  expect((await call("GET", `${server.url}/health/live`)).status).toBe(200);
  // Half of them want to commit while it is away.
  await writeFile(open, "");
  await eventually(() => Date.now() > leaseUntil + 1000);
  await proxy.restore();
  await untilEnded(server.url, uuids.length);
  await expectOnce(server.url, uuids);
  expect(await runs(server.url, { outcome: "crashed" })).toEqual([]);
  expect(processes(server)).toEqual(before);
});

test("SIGTERM while the database is away: the server ends all the same, and a restart does the rest", async () => {
  const site = await openSite({ env: { STOP_GRACE_SECONDS: "1", NUM_WORKERS: "2" } });
  const proxy = await proxyTo(await site.database());
  site.atEnd(() => proxy.cut());
  const server = await site.start({ VCON_STORAGE_URL: proxy.url });
  const workers = server.workers();
  await defineWork(server.url, { processor: "mark", options: { ms: 20 } });
  const uuids = await queueLoad(server.url, 100);
  await untilSomeDone(server.url);
  await proxy.cut();
  // What this one had in hand cannot be given back now: that must not hold up the end.
  kill(workers[0] ?? 0);
  await eventually(() => server.output().includes("a pipeline worker died"));
  server.child.kill("SIGTERM");
  await eventually(() => server.child.exitCode !== null, { timeoutMs: 30_000 });
  expect(server.child.exitCode).toBe(0);
  expect(workers.filter(isAlive)).toEqual([]);
  await proxy.restore();
  const again = await site.start({ VCON_STORAGE_URL: proxy.url, REST_URL: server.url });
  await untilEnded(again.url, uuids.length);
  await expectOnce(again.url, uuids);
});
