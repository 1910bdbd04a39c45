import type { JsonObject } from "@vconductor/vcon";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mediaDirectory } from "../media/directory.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { definition, vcon } from "./documents.ts";

// One worker with one slot: whoever holds it holds up everybody.
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    NUM_WORKERS: "1",
    WORKER_CONCURRENCY: "1",
    PLUGIN_PATHS: testPlugins,
    ...(await mediaDirectory()).env,
  });
});
afterAll(() => server.stop());

let made = 0;
/** A pipeline with a queue, and a queue for remote workers. */
async function setUp(
  options: object = {},
  {
    before = [],
    pipelineOptions = {},
  }: { readonly before?: Parameters<typeof definition>[0]; readonly pipelineOptions?: object } = {},
) {
  const name = `p${++made}`;
  const remote = `${name}-remote`;
  await ok("POST", `/queue/${remote}?kind=remote`);
  await ok("PATCH", `/queue/${remote}`, { retry_limit: 0 });
  await ok("POST", `/queue/${name}`);
  const steps = [
    ...before,
    ["service", { queue: remote, ...options }] as const,
    ["tag", { tags: ["after"] }] as const,
  ];
  await ok("PUT", `/pipeline/${name}`, definition(steps, pipelineOptions));
  await ok("POST", `/server/queue/${name}`, {});
  return { name, remote };
}

async function ok(method: string, path: string, body?: unknown) {
  const answer = await server.call(method, path, body === undefined ? {} : { body });
  expect([method, path, answer.status, answer.text]).toEqual([
    method,
    path,
    expect.toSatisfy((status) => status < 300),
    expect.anything(),
  ]);
  return answer.json;
}

async function queue(name: string, uuid: string, more: JsonObject = {}): Promise<void> {
  await ok("POST", "/vcon", vcon(uuid, more));
  await ok("PUT", `/queue/${name}`, { vcon_uuid: [uuid] });
}

const claim = async (remote: string) =>
  at(await ok("POST", `/work/${remote}/claim`, { worker: "w", wait: 30 }), "jobs", 0);
const complete = (job: unknown, result: unknown) =>
  ok("POST", `/work/runs/${at(job, "run_id")}/complete`, { result });
const outcomes = async (name: string) =>
  Object(at(await ok("GET", `/runs?queue=${name}`), "runs"))
    .map((run: unknown) => at(run, "outcome"))
    .toReversed();
const ended = (name: string, count: number) =>
  eventually(
    async () =>
      (await outcomes(name)).filter((o: unknown) => o === "done" || o === "failed").length === count,
  );

describe("the processor service", () => {
  it("has a remote worker do a step, and goes on with what it answers; no slot is held meanwhile", async () => {
    const { name, remote } = await setUp({ request: { model: "large" }, set_parameter: "answer" });
    const plain = `${name}-plain`;
    await ok("POST", `/queue/${plain}`);
    await ok("PUT", `/pipeline/${plain}`, definition([["tag", { tags: ["plain"] }]]));
    await ok("POST", `/server/queue/${plain}`, {});
    const uuids = [1, 2, 3].map((n) => `${name}-${n}`);
    for (const uuid of uuids) await queue(name, uuid, { subject: uuid });
    const jobs = [await claim(remote), await claim(remote), await claim(remote)];
    expect(jobs[0]).toMatchObject({
      job_type: "service",
      vcon_uuid: [uuids[0]],
      payload: { vcon: { uuid: uuids[0], subject: uuids[0] }, parameters: {}, request: { model: "large" } },
    });
    // Three jobs wait, and the one slot is free for others.
    await queue(plain, `${name}-other`);
    await ended(plain, 1);
    expect(await ok("GET", `/queue/${name}`)).toMatchObject(uuids.map(() => ({ state: "suspended" })));
    // Others may change the vCon of a suspended job: it sees what they changed.
    for (const [n, job] of jobs.entries()) {
      const analysis = [{ type: "transcript", vendor: "w", body: `text ${n}`, encoding: "none" }];
      await complete(job, { analysis, parameters: { n } });
    }
    await ended(name, 3);
    for (const [n, uuid] of uuids.entries()) {
      const stored = await ok("GET", `/vcon/${uuid}`);
      expect(at(stored, "analysis")).toMatchObject([{ type: "transcript", body: `text ${n}` }]);
      expect(JSON.stringify(stored)).toContain("after");
    }
    expect((await outcomes(name)).toSorted()).toEqual([
      "done",
      "done",
      "done",
      "suspended",
      "suspended",
      "suspended",
    ]);
  });

  it("resumes after the steps before it, and inside a pipeline that another calls", async () => {
    const inner = await setUp({ set_parameter: "answer" });
    const name = `${inner.name}-outer`;
    await ok("POST", `/queue/${name}`);
    const steps = [
      ["tag", { tags: ["before"] }],
      ["call_pipeline", { pipeline: inner.name }],
    ] as const;
    await ok("PUT", `/pipeline/${name}`, definition(steps));
    await ok("POST", `/server/queue/${name}`, {});
    await queue(name, `${name}-1`);
    await complete(await claim(inner.remote), 7);
    await ended(name, 1);
    const [done] = Object(at(await ok("GET", `/runs?queue=${name}`), "runs"));
    expect(at(done, "result", "steps")).toMatchObject([{ outcome: "checkpoint" }, { outcome: "done" }]);
    expect(JSON.stringify(await ok("GET", `/vcon/${name}-1`))).toMatch(/before.*after/);
  });

  it("sends and takes back what is too large for the database", async () => {
    const { name, remote } = await setUp();
    await queue(name, `${name}-1`, { subject: "x".repeat(100_000) });
    const job = await claim(remote);
    const changed = { ...Object(at(job, "payload", "vcon")), subject: "y".repeat(100_000) };
    await complete(job, { vcon: changed });
    await ended(name, 1);
    expect(at(await ok("GET", `/vcon/${name}-1`), "subject")).toBe(changed.subject);
  });

  it("fails when the job did, and asks again when the pipeline is tried again", async () => {
    const { name, remote } = await setUp({}, { pipelineOptions: { retry_limit: 1, retry_delay: 0 } });
    await queue(name, `${name}-1`);
    for (const message of ["no GPU", "still no GPU"]) {
      await ok("POST", `/work/runs/${at(await claim(remote), "run_id")}/fail`, { message, retryable: false });
    }
    await ended(name, 1);
    expect(await outcomes(name)).toEqual(["suspended", "retry", "suspended", "failed"]);
    const [last] = Object(at(await ok("GET", `/runs?queue=${name}`), "runs"));
    expect(at(last, "error")).toMatchObject({
      code: "provider_failed",
      processor: "service",
      message: `the job for the remote workers of ${remote} was not done: still no GPU`,
    });
  });

  it("asks once, however often it is tried again for other reasons", async () => {
    const { name, remote } = await setUp();
    const steps = [
      ["service", { queue: remote, set_parameter: "answer" }],
      ["broken", {}],
    ] as const;
    await ok("PUT", `/pipeline/${name}`, definition(steps, { retry_limit: 1, retry_delay: 0 }));
    await queue(name, `${name}-1`);
    await complete(await claim(remote), 1);
    await ended(name, 1);
    expect(await outcomes(name)).toEqual(["suspended", "retry", "failed"]);
    expect(await ok("GET", `/queue/${remote}`)).toEqual([]);
  });

  it.each([
    ["vcon that is no object", { vcon: [] }],
    ["another vCon", { vcon: vcon("another") }],
    ["analysis that is no list", { analysis: {} }],
    ["parameters that are no object", { parameters: [] }],
  ])("fails on an answer with %s", async (what, answer) => {
    const { name, remote } = await setUp();
    await queue(name, `${name}-1`);
    await complete(await claim(remote), answer);
    await ended(name, 1);
    const [last] = Object(at(await ok("GET", `/runs?queue=${name}`), "runs"));
    expect(at(last, "error", "message")).toContain(what);
  });

  it("fails where there is no such queue, or one of pipelines", async () => {
    const { name } = await setUp({ queue: "nowhere" });
    await queue(name, `${name}-1`);
    const other = await setUp({ queue: name });
    await queue(other.name, `${other.name}-1`);
    await ended(name, 1);
    await ended(other.name, 1);
    const errorOf = async (of: string) => at(await ok("GET", `/runs?queue=${of}`), "runs", 0, "error");
    expect(await errorOf(name)).toMatchObject({ code: "queue_not_found", processor: "service" });
    expect(await errorOf(other.name)).toMatchObject({ code: "invalid_options", processor: "service" });
  });

  it("is gone when its job is cancelled while it waits", async () => {
    const { name, remote } = await setUp();
    await queue(name, `${name}-1`);
    const job = await claim(remote);
    const [waiting] = Object(await ok("GET", `/queue/${name}`));
    const run = at(await ok("GET", `/runs?queue=${name}`), "runs", 0, "id");
    const late = await server.call("POST", `/runs/${run}/cancel`);
    expect([late.status, at(late.json, "code"), at(late.json, "detail")]).toEqual([
      409,
      "run_not_active",
      `run: ${run} has ended as suspended; if its job still waits, DELETE /queue/${name}/job/${at(waiting, "id")} cancels it`,
    ]);
    await ok("DELETE", `/queue/${name}/job/${at(waiting, "id")}`);
    await complete(job, {});
    expect(await ok("GET", `/queue/${name}`)).toEqual([]);
    expect(await outcomes(name)).toEqual(["suspended"]);
  });

  it("is given up when its time is over: its job is cancelled", async () => {
    const { name, remote } = await setUp({ give_up_after: 0.5 });
    await queue(name, `${name}-1`);
    await ended(name, 1);
    expect(await outcomes(name)).toEqual(["suspended", "failed"]);
    const text = `the job for the remote workers of ${remote} was not done within 0.5 s, and was given up`;
    const [last] = Object(at(await ok("GET", `/runs?queue=${name}`), "runs"));
    expect(at(last, "error")).toMatchObject({ code: "provider_failed", processor: "service", message: text });
    expect(await ok("GET", `/queue/${remote}`)).toEqual([]);

    const atOnce = await server.call("POST", `/pipeline/${name}/run`, { body: vcon(`${name}-2`) });
    expect([atOnce.status, atOnce.text]).toEqual([expect.any(Number), expect.stringContaining(text)]);
    expect(await ok("GET", `/queue/${remote}`)).toEqual([]);
  });

  it("is waited for in a run at once, and given up with it", async () => {
    const { name, remote } = await setUp({ send_vcon: false, set_parameter: "answer" });
    const running = ok("POST", `/pipeline/${name}/run`, vcon(`${name}-1`));
    const job = await claim(remote);
    expect(at(job, "payload")).toEqual({ parameters: {}, request: {} });
    await complete(job, { text: "hello" });
    expect(at(await running, "parameters")).toEqual({ answer: { text: "hello" } });

    const gone = new AbortController();
    const body = JSON.stringify(vcon(`${name}-2`));
    const init = {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      signal: gone.signal,
    };
    const given = server.fetch(`/pipeline/${name}/run`, init).catch(() => "gone");
    const run = at(await claim(remote), "run_id");
    gone.abort();
    expect(await given).toBe("gone");
    await eventually(async () => at(await ok("POST", `/work/runs/${run}/heartbeat`, {}), "cancelled"));
  });
});
