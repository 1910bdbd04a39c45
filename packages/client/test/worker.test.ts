import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../server/test/setup/eventually.ts";
import { startTestServer, type TestServer } from "../../server/test/setup/test-server.ts";
import {
  ApiError,
  Client,
  createWorker,
  JobError,
  type Worker,
  type WorkerEvent,
  type WorkerOptions,
} from "../src/index.ts";

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
  client = new Client({ url: server.url });
});
afterAll(() => server.stop());

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop().catch(() => {});
});

let made = 0;
async function makeQueue(): Promise<string> {
  const queue = `client-${++made}`;
  await client.makeQueue(queue);
  return queue;
}

function work(queue: string, more: Partial<WorkerOptions> & Pick<WorkerOptions, "handler">) {
  const events: WorkerEvent[] = [];
  const worker = createWorker({
    url: server.url,
    queue,
    name: `worker of ${queue}`,
    stopOnSignals: false,
    onEvent: (event) => void events.push(event),
    ...more,
  });
  workers.push(worker);
  const types = () => events.map(({ type }) => type);
  return {
    worker,
    events,
    types,
    until: (type: string) => eventually(() => types().includes(type as never)),
  };
}

async function runsOf(queue: string) {
  const { runs } = (await client.request("GET", "/runs", { query: { queue } })) as {
    runs: { id: number; outcome: string | null; error: unknown; progress: number; message: string | null }[];
  };
  return runs.toReversed();
}
const outcomes = async (queue: string) => (await runsOf(queue)).map(({ outcome }) => outcome);

describe("a worker", () => {
  it("does jobs, several at once, and tells their results", async () => {
    const queue = await makeQueue();
    await client.makeQueue(queue);
    let atOnce = 0;
    let most = 0;
    for (const n of [1, 2, 3, 4, 5, 6]) await client.addJob(queue, { payload: n, job_type: "double" });
    const gate = Promise.withResolvers<void>();
    const { until, types } = work(queue, {
      concurrency: 3,
      info: { version: "1" },
      async handler(job, { progress, queueJob }) {
        most = Math.max(most, ++atOnce);
        if (atOnce === 3) gate.resolve();
        await gate.promise;
        progress(50, "half");
        atOnce--;
        if (job.payload === 6) queueJob({ queue, payload: "last" });
        return job.payload === "last" ? null : { type: job.job_type, twice: Number(job.payload) * 2 };
      },
    });
    await eventually(
      async () => (await outcomes(queue)).filter((outcome) => outcome === "done").length === 7,
    );
    expect(most).toBe(3);
    const [first] = await runsOf(queue);
    expect(await client.result(first?.id ?? 0)).toEqual({ type: "double", twice: 2 });
    expect(await client.run(first?.id ?? 0)).toMatchObject({ outcome: "done", worker: `worker of ${queue}` });
    await until("done");
    expect(types()[0]).toBe("started");
  });

  it("says what failed, why, and whether to try again", async () => {
    const queue = await makeQueue();
    await client.request("PATCH", `/queue/${queue}`, { body: { retry_limit: 1, retry_delay: 0 } });
    for (const payload of ["plain", "for good"]) await client.addJob(queue, { payload });
    work(queue, {
      handler({ payload }) {
        if (payload === "plain") throw new Error("not\u0000 today");
        throw new JobError("no such file", { code: "no_file", retryable: false });
      },
    });
    await eventually(
      async () => (await outcomes(queue)).filter((outcome) => outcome === "failed").length === 2,
    );
    const runs = await runsOf(queue);
    expect(runs.map(({ outcome }) => outcome).toSorted()).toEqual(["failed", "failed", "retry"]);
    expect(runs.map(({ error }) => error)).toContainEqual({ code: "no_file", message: "no such file" });
    expect(runs.map(({ error }) => error)).toContainEqual({ code: "worker_failed", message: "not today" });
  });

  it("keeps a job that takes longer than its lease, and shows how far it is", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    const go = Promise.withResolvers<void>();
    work(queue, {
      leaseSeconds: 1,
      async handler(_, { progress }) {
        progress(10, "begun");
        progress(40, "further");
        await go.promise;
        return null;
      },
    });
    await eventually(async () => (await runsOf(queue))[0]?.progress === 40);
    const [run] = await runsOf(queue);
    expect(run).toMatchObject({ message: "further", outcome: null });
    const lease = async () => Date.parse(String(Object(await client.run(run?.id ?? 0)).lease_until));
    const first = await lease();
    // Well beyond the first lease, and housekeeping has looked.
    await eventually(async () => (await lease()) > first + 2500);
    go.resolve();
    await eventually(async () => (await outcomes(queue))[0] === "done");
    expect(await outcomes(queue)).toEqual(["done"]);
  });

  it("stops a job that is cancelled", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    const { events, until } = work(queue, {
      leaseSeconds: 1,
      handler: (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped"))),
        ),
    });
    const run = await eventually(async () => (await runsOf(queue))[0]);
    await client.request("POST", `/runs/${run.id}/cancel`);
    await until("stopped");
    expect(events.at(-1)).toMatchObject({ type: "stopped", reason: "cancelled" });
    expect(await outcomes(queue)).toEqual(["cancelled"]);
  });

  it("lets go of a job that is another's now", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    let reason: unknown;
    const { events, until } = work(queue, {
      leaseSeconds: 1,
      handler: (_, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            reason = signal.reason;
            resolve("too late");
          }),
        ),
    });
    const run = await eventually(async () => (await runsOf(queue))[0]);
    await client.request("DELETE", `/in_progress/${run.id}`);
    await until("stopped");
    expect(events.at(-1)).toMatchObject({ type: "stopped", reason: "lost" });
    expect(reason).toBe("lost");
  });

  it("finishes what it has when it is told to stop, and takes no more", async () => {
    const queue = await makeQueue();
    const go = Promise.withResolvers<void>();
    await client.addJob(queue, { payload: 1 });
    await client.addJob(queue, { payload: 2 });
    const { worker, until } = work(queue, { handler: () => go.promise.then(() => "finished") });
    await eventually(async () => (await runsOf(queue)).length === 1);
    const stopped = worker.stop();
    await until("stopping");
    go.resolve();
    await stopped;
    expect(await outcomes(queue)).toEqual(["done"]);
    expect(await client.request("GET", `/queue/${queue}`)).toHaveLength(1);
  });

  it("hands back what it cannot finish in time", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    const { worker } = work(queue, {
      drainSeconds: 0,
      handler: (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped"))),
        ),
    });
    await eventually(async () => (await runsOf(queue)).length === 1);
    await worker.stop();
    expect(await outcomes(queue)).toEqual(["released"]);
    expect(await client.request("GET", `/queue/${queue}`)).toMatchObject([{ payload: 1 }]);
  });

  it("hands back what a handler goes on with in spite of its signal, and stops", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    const { worker } = work(queue, { drainSeconds: 0, handler: () => new Promise(() => {}) });
    await eventually(async () => (await runsOf(queue)).length === 1);
    await worker.stop();
    expect(await outcomes(queue)).toEqual(["released"]);
    expect(await client.request("GET", `/queue/${queue}`)).toMatchObject([{ payload: 1 }]);
  });

  it("says once that its queue is not there, and works when it is", async () => {
    const queue = `client-${++made}`;
    const { types, until } = work(queue, { handler: () => "done" });
    await until("no_queue");
    await client.makeQueue(queue);
    await client.addJob(queue, { payload: 1 });
    await until("done");
    expect(types()).toEqual(["started", "no_queue", "done"]);
  });

  it("stops while it waits for a job", async () => {
    const queue = await makeQueue();
    const { worker } = work(queue, { handler: () => null });
    await eventually(async () =>
      Object(await client.request("GET", "/workers")).workers.some(({ id }: { id: string }) =>
        id.endsWith(queue),
      ),
    );
    await worker.stop();
    await client.addJob(queue, { payload: 1 });
    expect(await client.request("GET", `/queue/${queue}`)).toHaveLength(1);
  });

  it("a result that the server does not take is a failure, not a job without end", async () => {
    const queue = await makeQueue();
    await client.addJob(queue, { payload: 1 });
    const { until } = work(queue, {
      handler(_, { queueJob }) {
        queueJob({ queue: "nowhere" });
        return null;
      },
    });
    await until("failed");
    const [run] = await runsOf(queue);
    expect(run).toMatchObject({ outcome: "failed", error: { message: expect.stringContaining("nowhere") } });
  });

  it.each([
    ["a token that is none", { token: "vct_none", queue: "any" }, 401],
    ["a queue of a pipeline", { queue: "of-a-pipeline" }, 422],
  ])("ends with an error that says why: %s", async (_, more, status) => {
    const guarded = await startTestServer({
      RUN_BACKGROUND_JOBS: "false",
      ACCESS: status === 401 ? "on" : "off",
    });
    try {
      if (status === 422) await guarded.call("POST", "/queue/of-a-pipeline");
      const { worker } = work("", { url: guarded.url, handler: () => null, ...more });
      await expect(worker.stopped).rejects.toMatchObject({ status });
    } finally {
      await guarded.stop();
    }
  });
});

describe("the client", () => {
  it("refuses a URL with a password, and names what failed", async () => {
    expect(() => new Client({ url: "http://user:secret@127.0.0.1/" })).toThrow(
      "the url holds a user or a password; give the token as `token`",
    );
    const failing = client.run(999_999);
    await expect(failing).rejects.toBeInstanceOf(ApiError);
    await expect(failing).rejects.toMatchObject({ status: 404, code: "run_not_found", isPassing: false });
    await expect(failing).rejects.toThrow("GET /runs/999999: 404 ");
  });

  it("stores and reads vCons", async () => {
    const vcon = { vcon: "0.4.0", uuid: "a/b?c", created_at: "2026-01-01T00:00:00Z", parties: [] };
    await client.putVcon(vcon);
    expect(await client.getVcon("a/b?c").catch((error: ApiError) => error.status)).toEqual(vcon);
  });

  it("claims jobs; a worker that is disabled gets none", async () => {
    const queue = await makeQueue();
    const claimed = await client.claim(queue, { worker: "switched" });
    expect(claimed).toEqual({ jobs: [], drain: false });
    await client.request("PATCH", "/workers/switched", { body: { disabled: true } });
    expect(await client.claim(queue, { worker: "switched" })).toEqual({ jobs: [], drain: true });
  });
});
