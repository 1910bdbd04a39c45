import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually } from "../../server/test/setup/eventually.ts";
import { startTestServer, type TestServer } from "../../server/test/setup/test-server.ts";
import { Client, createWorker, JobError, type JobHandler, type Json, type Worker } from "../src/index.ts";
import { jobsOf, startScriptedServer } from "./scripted-server.ts";

// However a handler ends, the server hears how: no job is left to run out.

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
  client = new Client({ url: server.url });
});
afterAll(() => server.stop());

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});

let made = 0;
/** Has a handler do one job, and answers with the run once it has ended. */
async function runOf(handler: JobHandler, onEvent: () => void | Promise<void> = () => {}) {
  const queue = `endings-${++made}`;
  await client.makeQueue(queue);
  await client.addJob(queue, { payload: 1 });
  const worker = createWorker({ url: server.url, queue, handler, stopOnSignals: false, onEvent });
  workers.push(worker);
  return await eventually(async () => {
    const answer = await client.request("GET", "/runs", { query: { queue } });
    const [run] = Object(answer).runs;
    return run?.outcome === null ? undefined : run;
  });
}

const circle: Record<string, Json> = {};
circle.self = circle;

describe("what cannot be sent as JSON fails the job, for good", () => {
  it.each<[string, JobHandler]>([
    ["a result with a BigInt", () => Object({ n: 10n })],
    ["a result that holds itself", () => circle],
    [
      "a job to queue",
      (job, { queueJob }) => {
        queueJob({ queue: job.queue, payload: Object({ n: 10n }) });
        return null;
      },
    ],
  ])("%s", async (_, handler) => {
    expect(await runOf(handler)).toMatchObject({
      outcome: "failed",
      attempt: 1,
      error: { code: "worker_failed", message: expect.stringContaining("cannot be written as JSON: ") },
    });
  });
});

describe("an error", () => {
  it("with a code that is none is refused where it is made", () => {
    for (const code of ["Bad Code!", "", "1st", "x".repeat(101)]) {
      expect(() => new JobError("no such file", { code })).toThrow(TypeError);
    }
    expect(() => new JobError("no such file", { code: "Bad Code!" })).toThrow(
      'the code "Bad Code!" of a JobError is not up to 100 of a-z, 0-9 and _ with a letter first (its message: no such file)',
    );
    expect(new JobError("no such file", { code: `x_${"1".repeat(98)}` }).retryable).toBe(true);
  });

  it("that the server does not take as it is ends the job all the same, as plainly as it must be", async () => {
    const error = Object.assign(new JobError("no such file", { retryable: false }), { code: "Bad Code!" });
    const run = await runOf(() => {
      throw error;
    });
    expect(run).toMatchObject({
      outcome: "failed",
      error: { code: "worker_failed", message: "no such file" },
    });
  });

  it("that is too large for what stands before the server is said shortly", async () => {
    const picky = await startScriptedServer(({ what, body }) => {
      if (what === "claim") return picky.asked.length > 1 ? "nothing" : jobsOf(1);
      return String(body.message).length > 500 ? { status: 413 } : { body: { outcome: "retry" } };
    });
    const ended = Promise.withResolvers<unknown>();
    const worker = createWorker({
      url: picky.url,
      queue: "q",
      stopOnSignals: false,
      handler: () => Promise.reject(new Error("long ".repeat(1000))),
      onEvent: (event) => {
        if (event.type === "failed") ended.resolve(event.error);
      },
    });
    workers.push(worker);
    expect(await ended.promise).toMatchObject({ message: "long ".repeat(1000) });
    await worker.stop();
    await picky.stop();
    expect(picky.asked.filter(({ what }) => what === "fail").map(({ body }) => body)).toEqual([
      { message: "long ".repeat(1000), code: "worker_failed", retryable: true },
      { message: "long ".repeat(40), code: "worker_failed", retryable: true },
    ]);
  });

  it.each<[string, unknown, string]>([
    ["a text that is cut within a character", `${"x".repeat(9999)}😀`, `${"x".repeat(9999)}\ufffd`],
    ["nothing that is a text", Object.create(null), "something that is no text"],
    ["an error without a message", new Error(""), "the handler failed without a message"],
  ])("of whatever kind is told: %s", async (_, thrown, message) => {
    const run = await runOf(() => {
      throw thrown;
    });
    expect(run).toMatchObject({ outcome: "retry", error: { code: "worker_failed", message } });
  });
});

it("progress that makes no sense keeps no heartbeat from its job", async () => {
  const told = Promise.withResolvers<void>();
  const run = runOf(async (_, { progress }) => {
    progress(Number.NaN, `half${"\u0000"} of it`);
    await told.promise;
    return null;
  });
  const seen = await eventually(async () => {
    const [one] = Object(await client.request("GET", "/runs", { query: { queue: `endings-${made}` } })).runs;
    return one?.message === null ? undefined : one;
  });
  expect(seen).toMatchObject({ progress: 0, message: "half of it" });
  told.resolve();
  expect(await run).toMatchObject({ outcome: "done" });
});

it.each<[string, () => void | Promise<void>]>([
  [
    "throws",
    () => {
      throw new Error("a listener that throws");
    },
  ],
  ["rejects", () => Promise.reject(new Error("a listener that rejects"))],
])("a listener that %s ends neither a job nor the worker", async (_, onEvent) => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    expect(await runOf(() => "fine", onEvent)).toMatchObject({ outcome: "done" });
    await workers[0]?.stop();
    expect(printed).toHaveBeenCalledWith("onEvent:", expect.any(Error));
  } finally {
    printed.mockRestore();
  }
});
