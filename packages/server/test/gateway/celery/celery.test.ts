import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openSite } from "../../crash/harness.ts";
import { at, call } from "../../http/call.ts";
import { createDatabase } from "../../setup/database.ts";
import { proxyTo } from "../../setup/database-proxy.ts";
import { installed } from "../../setup/debian.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { type Part, startCelery, startRabbitMq, startRedis } from "./parts.ts";

const why = await installed({
  programs: ["rabbitmq-server", "redis-server"],
  modules: ["celery", "redis"],
  packages: ["rabbitmq-server", "redis-server", "python3-celery", "python3-redis"],
});
if (why !== undefined) console.error(`The tests with Celery are skipped: ${why}`);

// Real RabbitMQ, Redis and workers of Celery, as Debian has them.
describe.skipIf(why !== undefined)("Celery (skipped where it cannot be installed)", () => {
  let directory: string;
  let rabbit: Awaited<ReturnType<typeof startRabbitMq>>;
  let redis: Part;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "vconductor-celery-"));
    [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  });
  afterAll(async () => {
    await Promise.all([rabbit.stop(), redis.stop()]);
    await rm(directory, { recursive: true });
  });

  const parts: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of parts.splice(0).reverse()) await stop();
  });

  let made = 0;
  const fresh = (name: string) => join(directory, `${++made}-${name}`);
  const begun = (log: string) => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);

  /** A gateway with one service of Celery. @returns its configuration's file */
  async function configure(celery: object): Promise<string> {
    const file = fresh("gateway.json");
    const WORKER_SERVICES = {
      stub: {
        celery_queue_name: "stub_queue",
        celery_task_name: "stub",
        version: "0.4.1",
        noparams: true,
        transport: "celery",
      },
    };
    const CELERY = { BROKER_URL: rabbit.url, ...celery };
    await writeFile(file, JSON.stringify({ CELERY, WORKER_SERVICES, RUBBER_EVAL_INTERVAL: 1 }));
    return file;
  }
  async function startServer(celery: object, databaseUrl?: string): Promise<TestServer> {
    const server = await startTestServer({
      RUN_BACKGROUND_JOBS: "false",
      LEASE_SECONDS: "5",
      LOG_LEVEL: "warn",
      GATEWAY_CONFIG: await configure(celery),
      ...(databaseUrl === undefined ? {} : { VCON_STORAGE_URL: databaseUrl }),
    });
    parts.push(() => server.stop());
    return server;
  }
  async function startWorker(
    backend: string,
  ): Promise<{ readonly log: string; readonly stop: () => Promise<void> }> {
    const log = fresh("log");
    const worker = await startCelery({ broker: rabbit.url, backend, log });
    parts.push(() => worker.stop());
    return { log, stop: () => worker.stop() };
  }
  const submit = async ({ url }: { readonly url: string }, query = "?doc_url=http://docs.example/a") => {
    const answer = await call("POST", `${url}/gateway/stub/process${query}`);
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    return String(at(answer.json, "uuid"));
  };
  const until = ({ url }: { readonly url: string }, uuid: string, wanted: string) =>
    eventually(async () => {
      const { json } = await call("GET", `${url}/gateway/stub/status?uuid=${uuid}`);
      if (at(json, "status") !== wanted) throw new Error(`${wanted} is awaited: ${JSON.stringify(json)}`);
      return json;
    });

  it.each([
    ["protocol 1, results over AMQP", 1, "rpc"],
    ["protocol 2, results over AMQP", 2, "rpc"],
    ["protocol 1, results in Redis", 1, "redis"],
    ["protocol 2, results in Redis", 2, "redis"],
    ["protocol 1, results by the task's id, as of Celery 3", 1, "amqp"],
  ] as const)("a service's workers: %s", async (_, protocol, backend) => {
    const results = { rpc: "rpc://", redis: redis.url, amqp: "amqp://" }[backend];
    const worker = await startWorker(backend === "amqp" ? "celery3:Celery3Results" : results);
    const server = await startServer({ CELERY_RESULT_BACKEND: results, CELERY_TASK_PROTOCOL: protocol });
    const uuid = await submit(server, "?doc_url=http://docs.example/a&language=fr");
    const done = await until(server, uuid, "SUCCESS");
    expect(at(done, "result", "result", "value", "service")).toMatchObject({
      type: "stub",
      document: { url: "http://docs.example/a" },
      misc: { language: "fr" },
    });
    expect(begun(worker.log)).toEqual([uuid, `${uuid} done`]);

    const go = fresh("go");
    const slow = await submit(server, `?wait=${encodeURIComponent(go)}`);
    expect(await until(server, slow, "PROGRESS")).toMatchObject({
      result: { current: 40, total: 100, worker_id_version: "0.4.1", host: "gpu", type: "stub" },
    });
    await eventually(async () => {
      const needs = at((await server.call("GET", "/gateway/needs")).json, "services", 0);
      return at(needs, "workers") === 1 && at(needs, "running") === 1 && at(needs, "idle") === 0;
    });
    const { json: info } = await server.call("GET", "/gateway/stub/info", {
      headers: { accept: "application/json" },
    });
    expect(info).toMatchObject({ activeWorkers: 1 });
    await writeFile(go, "");
    await until(server, slow, "SUCCESS");

    const failing = await submit(server, "?fail=1");
    expect(await until(server, failing, "FAILURE")).toMatchObject({
      result: { code: 301, message: "DownloadError: no such document: é" },
    });

    const doomed = await submit(server, `?wait=${encodeURIComponent(fresh("never"))}`);
    await until(server, doomed, "PROGRESS");
    await server.call("GET", `/gateway/stub/cancel?uuid=${doomed}`);
    expect(await until(server, doomed, "REVOKED")).toMatchObject({ result: { code: 109 } });
    // Its process was killed; the worker does the next one all the same.
    await until(server, await submit(server), "SUCCESS");
  });

  it("a request waits for workers that are not there yet, and for a broker that is restarted", async () => {
    const server = await startServer({});
    const early = await submit(server);
    await rabbit.restart();
    const later = await submit(server);
    const worker = await startWorker("rpc://");
    for (const uuid of [early, later]) await until(server, uuid, "SUCCESS");
    expect(
      begun(worker.log)
        .filter((line) => !line.endsWith("done"))
        .toSorted(),
    ).toEqual([early, later].toSorted());
  });

  it("says so where the worker is of another version", async () => {
    const server = await startServer({});
    await startWorker("rpc://");
    const uuid = await submit(server, `?version=0.3.0&wait=${encodeURIComponent(fresh("never"))}`);
    await eventually(async () => {
      const { status: code, json } = await server.call("GET", `/gateway/stub/status?uuid=${uuid}`);
      return code === 400 && at(json, "vesta", "code") === 204;
    });
  });

  it("a result that comes while the database is away is not lost", async () => {
    const database = await createDatabase();
    const way = await proxyTo(database.url);
    parts.push(
      () => database.drop(),
      () => way.cut(),
    );
    const server = await startServer({}, way.url);
    const worker = await startWorker("rpc://");
    const go = fresh("go");
    const uuid = await submit(server, `?wait=${encodeURIComponent(go)}`);
    await until(server, uuid, "PROGRESS");
    await way.cut();
    await writeFile(go, "");
    await eventually(() => begun(worker.log).includes(`${uuid} done`));
    await way.restore();
    await until(server, uuid, "SUCCESS");
    expect(begun(worker.log)).toEqual([uuid, `${uuid} done`]);
  });

  it("through a restart of the server each task is sent once, and its result is not lost", async () => {
    const database = await createDatabase();
    parts.push(() => database.drop());
    const worker = await startWorker("rpc://");
    const first = await startServer({}, database.url);
    const go = fresh("go");
    const uuids = [
      await submit(first, `?wait=${encodeURIComponent(go)}`),
      await submit(first, `?wait=${encodeURIComponent(go)}`),
    ];
    for (const uuid of uuids) await until(first, uuid, "PROGRESS");
    parts.splice(parts.length - 1);
    await first.stop();
    await writeFile(go, "");
    const second = await startServer({}, database.url);
    for (const uuid of uuids) await until(second, uuid, "SUCCESS");
    expect(
      begun(worker.log)
        .filter((line) => !line.endsWith("done"))
        .toSorted(),
    ).toEqual(uuids.toSorted());
  });

  it("of two servers each task is sent once, and a third that has nothing to do with them takes no results away", async () => {
    const database = await createDatabase();
    parts.push(() => database.drop());
    const servers = [await startServer({}, database.url), await startServer({}, database.url)] as const;
    await startServer({});
    const uuids = await Promise.all([...servers, ...servers, ...servers].map((server) => submit(server)));
    const worker = await startWorker("rpc://");
    for (const uuid of uuids) for (const server of servers) await until(server, uuid, "SUCCESS");
    expect(
      begun(worker.log)
        .filter((line) => !line.endsWith("done"))
        .toSorted(),
    ).toEqual(uuids.toSorted());
  });

  it("kill -9 of the server: the worker goes on, and its result is there after a restart", async () => {
    const site = await openSite({
      env: { RUN_BACKGROUND_JOBS: "false", GATEWAY_CONFIG: await configure({}) },
    });
    const worker = await startWorker("rpc://");
    const first = await site.start();
    const go = fresh("go");
    const uuid = await submit(first, `?wait=${encodeURIComponent(go)}`);
    await until(first, uuid, "PROGRESS");
    await first.killAll();
    await writeFile(go, "");
    await eventually(() => begun(worker.log).includes(`${uuid} done`));
    await until(await site.start(), uuid, "SUCCESS");
    expect(begun(worker.log)).toEqual([uuid, `${uuid} done`]);
  });
});
