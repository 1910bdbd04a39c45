import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import pg from "pg";
import { Connection } from "rabbitmq-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openSite } from "../../crash/harness.ts";
import { webhookReceiver } from "../../doubles/webhook-receiver.ts";
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
  let amqp: Connection;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "vconductor-celery-"));
    [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
    amqp = new Connection({ url: rabbit.url, retryHigh: 1000 });
    amqp.on("error", () => {});
  });
  afterAll(async () => {
    amqp.unsafeDestroy();
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

  /** A gateway with two services of Celery. @returns its configuration's file */
  async function configure(celery: object, stub: object = {}): Promise<string> {
    const file = fresh("gateway.json");
    const common = { version: "0.4.1", noparams: true, transport: "celery" };
    const WORKER_SERVICES = {
      stub: { ...common, celery_queue_name: "stub_queue", celery_task_name: "stub", ...stub },
      other: { ...common, celery_queue_name: "other_queue", celery_task_name: "other", callbacks: true },
    };
    const CELERY = { BROKER_URL: rabbit.url, ...celery };
    await writeFile(file, JSON.stringify({ CELERY, WORKER_SERVICES, RUBBER_EVAL_INTERVAL: 1 }));
    return file;
  }
  async function startServer(
    celery: object,
    databaseUrl?: string,
    { stub = {}, ...env }: { readonly stub?: object; readonly FETCH_ALLOW?: string } = {},
  ): Promise<TestServer> {
    const server = await startTestServer({
      RUN_BACKGROUND_JOBS: "false",
      LEASE_SECONDS: "5",
      LOG_LEVEL: "warn",
      GATEWAY_CONFIG: await configure(celery, stub),
      ...env,
      ...(databaseUrl === undefined ? {} : { VCON_STORAGE_URL: databaseUrl }),
    });
    parts.push(() => server.stop());
    return server;
  }
  async function startWorker(
    backend: string,
    { maxPriority }: { readonly maxPriority?: number } = {},
  ): Promise<{ readonly log: string; readonly stop: () => Promise<void> }> {
    const log = fresh("log");
    const worker = await startCelery({ broker: rabbit.url, backend, log, maxPriority });
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

  const statusOf = async ({ url }: { readonly url: string }, uuid: string) =>
    (await call("GET", `${url}/gateway/stub/status?uuid=${uuid}`)).json;

  /** Stops what was started last. */
  const stopLast = () => parts.pop()?.();

  /** One row of a database, asked for on a connection of the test's own. */
  async function row(database: string, query: string, values: readonly unknown[] = []) {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    const { rows } = await client.query(query, [...values]).finally(() => client.end());
    return rows[0];
  }
  const replies = async (database: string) =>
    `vconductor.results.${at(await row(database, "select id from vconductor.installation"), "id")}`;
  const waitingIn = async (queue: string) => (await amqp.queueDeclare({ queue, passive: true })).messageCount;
  /** A worker has said that it does not do the task, or does not go on with it. */
  const isOver = (database: string, uuid: string) =>
    eventually(async () => {
      const found = await row(database, "select ended_at from vconductor.gateway_request where id = $1", [
        uuid,
      ]);
      return at(found, "ended_at");
    });
  async function freshDatabase(): Promise<string> {
    const database = await createDatabase();
    parts.push(() => database.drop());
    return database.url;
  }

  /** The services' queue is new, with nobody who works on it. */
  async function freshQueue({ maxPriority }: { readonly maxPriority?: number } = {}): Promise<void> {
    const clear = async () => {
      for (const queue of ["stub_queue", "other_queue"]) await amqp.queueDelete({ queue });
    };
    await clear();
    parts.push(clear);
    const priorities = maxPriority === undefined ? {} : { "x-max-priority": maxPriority };
    await amqp.queueDeclare({ queue: "stub_queue", durable: true, arguments: priorities });
  }

  it("a task that is to be tried again goes by the exchange of its queue, as it came", async () => {
    const worker = await startWorker("rpc://");
    const server = await startServer({});
    const { queue: seen } = await amqp.queueDeclare({ exclusive: true });
    await amqp.queueBind({ queue: seen, exchange: "stub_queue", routingKey: "stub_queue" });
    const uuid = await submit(server, "?again=1");
    await until(server, uuid, "SUCCESS");
    expect(begun(worker.log)).toEqual([uuid, uuid, `${uuid} done`]);
    expect(await waitingIn(seen)).toBe(2);
    await amqp.queueDelete({ queue: seen });
  });

  it.each([
    ["protocol 1, results over AMQP", 1, "rpc"],
    ["protocol 2, results over AMQP", 2, "rpc"],
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
    // Python writes NaN, which JSON has not.
    expect(at(done, "result", "result", "confidence")).toBeNull();
    expect(begun(worker.log)).toEqual([uuid, `${uuid} done`]);

    const go = fresh("go");
    const slow = await submit(server, `?wait=${encodeURIComponent(go)}`);
    expect(await until(server, slow, "PROGRESS")).toMatchObject({
      result: { current: 40, total: 100, worker_id_version: "0.4.1", host: "gpu", type: "stub" },
    });
    await eventually(async () => {
      const needs = at((await server.call("GET", "/gateway/needs")).json, "services", 1);
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
    // It has ended, whatever anybody wants now; whoever has it tried again has it done again.
    await server.call("GET", `/gateway/stub/cancel?uuid=${failing}`);
    expect(await statusOf(server, failing)).toMatchObject({ status: "FAILURE" });
    const run = at((await server.call("GET", "/queue/stub_queue/failed")).json, "jobs", 0, "run_id");
    const tries = () => begun(worker.log).length;
    const before = tries();
    await server.call("POST", `/queue/stub_queue/failed/${run}/requeue`);
    await eventually(() => tries() > before);
    await until(server, failing, "FAILURE");

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

  it("through a restart of the server, and then of the broker, each task is sent once, and its result is not lost", async () => {
    const database = await freshDatabase();
    const worker = await startWorker("rpc://");
    const first = await startServer({}, database);
    const go = fresh("go");
    const uuids = [
      await submit(first, `?wait=${encodeURIComponent(go)}`),
      await submit(first, `?wait=${encodeURIComponent(go)}`),
    ];
    for (const uuid of uuids) await until(first, uuid, "PROGRESS");
    await stopLast();
    await writeFile(go, "");
    const queue = await replies(database);
    await eventually(async () => (await waitingIn(queue)) === uuids.length);
    await rabbit.restart();
    const second = await startServer({}, database);
    // It was on its way before, and is not said to wait now.
    for (const uuid of uuids) expect(at(await statusOf(second, uuid), "status")).toMatch(/PROGRESS|SUCCESS/);
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

  it("a result is not lost when the run's lease ends while it is being kept", async () => {
    const database = await freshDatabase();
    const worker = await startWorker("rpc://");
    const server = await startServer({}, database);
    const go = fresh("go");
    const uuid = await submit(server, `?wait=${encodeURIComponent(go)}`);
    await until(server, uuid, "PROGRESS");
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    await client.query("begin");
    const { rows } = await client.query(
      "select r.id, r.job_id from vconductor.run r where r.finished_at is null for update",
    );
    const { id, job_id: job } = rows[0];
    await writeFile(go, "");
    await eventually(async () => {
      const waits =
        "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%ended as%'";
      return (await row(database, waits)) !== undefined;
    });
    await client.query("update vconductor.run set finished_at = now(), outcome = 'crashed' where id = $1", [
      id,
    ]);
    await client.query("update vconductor.job set state = 'waiting' where id = $1", [job]);
    await client.query("commit");
    await client.end();
    await until(server, uuid, "SUCCESS");
    expect(begun(worker.log)).toEqual([uuid, `${uuid} done`]);
  });

  it("results of a service that is paused wait in the database, and nobody else's wait for them; what nobody waits for is stopped", async () => {
    const receiver = await webhookReceiver();
    const database = await freshDatabase();
    const env = { FETCH_ALLOW: new URL(receiver.url).host };
    await startWorker("rpc://");
    const first = await startServer({}, database, env);
    const go = fresh("go");
    const callback = `callback_url=${encodeURIComponent(`${receiver.url}/done`)}`;
    const uuid = await submit(first, `?wait=${encodeURIComponent(go)}&${callback}`);
    const doomed = await submit(first, `?wait=${encodeURIComponent(fresh("never"))}`);
    for (const one of [uuid, doomed]) await until(first, one, "PROGRESS");
    await first.call("PATCH", "/queue/stub_queue", { body: { paused: true } });
    await stopLast();
    const second = await startServer({}, database, env);
    // Nobody holds its run.
    await second.call("GET", `/gateway/stub/cancel?uuid=${doomed}`);
    expect(await statusOf(second, doomed)).toMatchObject({ status: "REVOKED" });
    await isOver(database, doomed);
    await writeFile(go, "");
    await isOver(database, uuid);
    const other = await second.call("POST", `/gateway/other/process?${callback}`);
    await eventually(() => receiver.received.length > 0);
    await second.call("PATCH", "/queue/stub_queue", { body: { paused: false } });
    await until(second, uuid, "SUCCESS");
    // Workers of Celery call back themselves, unless the service says otherwise.
    const called = receiver.received.map(({ body }) => JSON.parse(String(body)));
    expect(called).toEqual([{ uuid: at(other.json, "uuid"), status: "SUCCESS" }]);
    await receiver.stop();
  });

  it("what was cancelled before there were workers is not done", async () => {
    await freshQueue();
    const database = await freshDatabase();
    const server = await startServer({}, database);
    const doomed = await submit(server, `?wait=${encodeURIComponent(fresh("never"))}`);
    await eventually(async () => (await waitingIn("stub_queue")) === 1);
    await server.call("GET", `/gateway/stub/cancel?uuid=${doomed}`);
    await until(server, doomed, "REVOKED");
    await startWorker("rpc://");
    await isOver(database, doomed);
  });

  it("of many tasks the broker gets a few, whatever its queue is like; the others wait for a worker, also of the next server", async () => {
    await freshQueue({ maxPriority: 5 });
    const database = await freshDatabase();
    const first = await startServer({}, database);
    const uuids = await Promise.all(Array.from({ length: 60 }, () => submit(first)));
    await eventually(async () => (await waitingIn("stub_queue")) > 0);
    for (const uuid of uuids.slice(0, 3)) {
      expect(await statusOf(first, uuid)).toMatchObject({ status: "PENDING" });
    }
    await stopLast();
    expect(await waitingIn("stub_queue")).toBeLessThanOrEqual(8);
    const second = await startServer({}, database);
    const worker = await startWorker("rpc://", { maxPriority: 5 });
    for (const uuid of uuids) await until(second, uuid, "SUCCESS");
    expect(
      begun(worker.log)
        .filter((line) => !line.endsWith("done"))
        .toSorted(),
    ).toEqual(uuids.toSorted());
  });

  it("a task that nothing is heard of is given up", async () => {
    const database = await freshDatabase();
    await startWorker("rpc://");
    const server = await startServer({}, database, { stub: { time_limit: 1 } });
    const uuid = await submit(server, "?silent=1");
    expect(await until(server, uuid, "FAILURE")).toMatchObject({
      result: { code: 101, message: "no worker has said anything of it for 1 seconds" },
    });
    // Its worker was told.
    await isOver(database, uuid);
  });

  it("reads what Celery 3 writes into Redis, and says so where it does not understand an answer", async () => {
    await freshQueue();
    const server = await startServer({ CELERY_RESULT_BACKEND: redis.url });
    const uuids = [await submit(server), await submit(server)] as const;
    const client = createClient({ url: redis.url });
    await client.connect();
    const said = { status: "SUCCESS", traceback: null, result: [1, "NaN"], children: [] };
    await client.set(`celery-task-meta-${uuids[0]}`, JSON.stringify(said));
    await client.set(`celery-task-meta-${uuids[1]}`, "(dp0");
    client.destroy();
    expect(await until(server, uuids[0], "SUCCESS")).toMatchObject({ result: [1, "NaN"] });
    expect(await until(server, uuids[1], "FAILURE")).toMatchObject({ result: { code: 101 } });

    const database = await freshDatabase();
    const other = await startServer({}, database);
    const uuid = await submit(other);
    const publisher = amqp.createPublisher({ confirm: true });
    const queue = await replies(database);
    await eventually(async () => (await waitingIn(queue)) === 0);
    await publisher.send(
      { routingKey: queue, correlationId: uuid, contentType: "text/x-yaml" },
      Buffer.from("a: b"),
    );
    expect(await until(other, uuid, "FAILURE")).toMatchObject({
      result: { code: 101, message: "the worker's answer is not understood" },
    });
    await publisher.close();
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
