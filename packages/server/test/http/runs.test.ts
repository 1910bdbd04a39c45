import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { definition, vcon } from "./documents.ts";
import { followEvents } from "./events.ts";

let server: TestServer;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-runs-"));
  server = await startTestServer({ PLUGIN_PATHS: testPlugins });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Work {
  readonly queue: string;
  /** The vCon of the job. */
  readonly uuid: string;
}

/** A pipeline that this server tends, and a stored vCon. */
async function makeWork(processors: Parameters<typeof definition>[0], options: object = {}): Promise<Work> {
  const queue = `queue-${randomUUID()}`;
  const uuid = `vcon-${randomUUID()}`;
  for (const [method, path, body] of [
    ["POST", "/vcon", vcon(uuid)],
    ["PUT", `/pipeline/${queue}`, definition(processors, options)],
    ["POST", `/queue/${queue}`, undefined],
    ["POST", `/server/queue/${queue}`, {}],
  ] as const) {
    const answer = await server.call(method, path, { body });
    expect([path, answer.status]).toEqual([path, 204]);
  }
  return { queue, uuid };
}

const enqueue = ({ queue, uuid }: Work) =>
  server.call("PUT", `/queue/${queue}`, { body: { job_type: "vcon_uuid", vcon_uuid: [uuid] } });
const runsOf = async (queue: string, query = "") =>
  at((await server.call("GET", `/runs?queue=${queue}${query}`)).json, "runs");

/** The run of a queue that is under way and has reported progress. */
async function underWay(queue: string): Promise<number> {
  return await eventually(async () => {
    const run = at(await runsOf(queue, "&active=true"), 0);
    return Number(at(run, "progress")) > 0 ? Number(at(run, "id")) : undefined;
  });
}

async function ended(run: number): Promise<unknown> {
  return (await server.call("GET", `/runs/${run}/wait?timeout=60`)).json;
}

/** A pipeline whose run waits until `open()`. */
async function gated(options: object = {}) {
  const file = join(directory, randomUUID());
  const work = await makeWork(
    [
      ["tag", { tags: ["passed"] }],
      ["gate", { open: file }],
    ],
    options,
  );
  return { ...work, open: () => writeFileSync(file, "") };
}

describe("a job in progress", () => {
  it("has the reference's shape, and is gone when it has ended", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    const shown = at((await server.call("GET", "/in_progress")).json, String(run));
    const key = Object.keys(Object((await server.call("GET", "/servers")).json))[0];
    expect(shown).toEqual({
      id: String(run),
      queue: work.queue,
      server: key,
      dequeued: expect.any(Number),
      job: { job_type: "vcon_uuid", vcon_uuid: [work.uuid] },
    });
    expect(Math.abs(Number(at(shown, "dequeued")) - Date.now() / 1000)).toBeLessThan(60);
    expect((await server.call("GET", `/queue/${work.queue}`)).json).toEqual([]);
    work.open();
    expect(await ended(run)).toMatchObject({ id: run, outcome: "done", progress: 100, error: null });
    expect((await server.call("GET", "/in_progress")).json).not.toHaveProperty([String(run)]);
    expect((await server.call("GET", `/vcon/${work.uuid}`)).text).toContain("passed");
  });

  it("goes back to the front of its queue, and what its run still does has no effect", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    await server.call("PATCH", `/queue/${work.queue}`, { body: { paused: true } });
    await enqueue({ ...work, uuid: "later" });
    expect((await server.call("PUT", `/in_progress/${run}`)).status).toBe(204);
    expect(await ended(run)).toMatchObject({ outcome: "requeued" });
    expect((await server.call("GET", `/queue/${work.queue}`)).json).toMatchObject([
      { vcon_uuid: [work.uuid] },
      { vcon_uuid: ["later"] },
    ]);
    work.open();
    const again = await server.call("PUT", `/in_progress/${run}`);
    expect([again.status, again.json]).toMatchObject([404, { detail: `job: ${run} not found` }]);
    expect((await server.call("GET", `/vcon/${work.uuid}`)).headers.get("etag")).toBe('"1"');
    await server.call("PATCH", `/queue/${work.queue}`, { body: { paused: false } });
    await eventually(async () => at(await runsOf(work.queue, "&outcome=done"), 0));
    expect((await server.call("GET", `/vcon/${work.uuid}`)).text).toContain("passed");
  });

  it("can be removed, which ends its run without effect", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    expect((await server.call("DELETE", `/in_progress/${run}`)).status).toBe(204);
    expect(await ended(run)).toMatchObject({ outcome: "cancelled" });
    work.open();
    expect((await server.call("DELETE", `/in_progress/${run}`)).status).toBe(404);
    expect((await server.call("GET", `/queue/${work.queue}`)).json).toEqual([]);
    // The server goes on working, where the reference's stopped for good.
    await enqueue(work);
    await eventually(async () => at(await runsOf(work.queue, "&outcome=done"), 0));
  });

  it("stays in progress when its queue is gone", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    expect((await server.call("DELETE", `/queue/${work.queue}`)).json).toEqual([]);
    const answer = await server.call("PUT", `/in_progress/${run}`);
    expect([answer.status, answer.json]).toMatchObject([
      404,
      { detail: `requeue_in_progress_job(${run}): queue: ${work.queue} does not exist` },
    ]);
    expect((await server.call("GET", "/in_progress")).json).toHaveProperty([String(run)]);
    work.open();
    expect(await ended(run)).toMatchObject({ outcome: "done" });
  });
});

describe("runs", () => {
  it("can be filtered and paged", async () => {
    const work = await makeWork([["tag", { tags: ["filtered"] }]]);
    for (let n = 0; n < 3; n += 1) await enqueue(work);
    await eventually(async () => {
      const runs = await runsOf(work.queue, "&outcome=done");
      return Array.isArray(runs) && runs.length === 3;
    });
    const all = await runsOf(work.queue);
    const [worker, job] = [String(at(all, 0, "worker")), Number(at(all, 0, "job_id"))];
    for (const [query, count] of [
      [`&vcon=${work.uuid}`, 3],
      ["&vcon=other", 0],
      ["&outcome=failed", 0],
      ["&active=true", 0],
      ["&active=no", 3],
      [`&worker=${encodeURIComponent(worker)}`, 3],
      ["&server=other", 0],
      [`&job=${job}`, 1],
    ] as const) {
      expect([query, await runsOf(work.queue, query)]).toEqual([
        query,
        expect.objectContaining({ length: count }),
      ]);
    }
    const first = (await server.call("GET", `/runs?queue=${work.queue}&limit=2`)).json;
    const second = (await server.call("GET", `/runs?queue=${work.queue}&limit=2&cursor=${at(first, "next")}`))
      .json;
    const ids = [at(first, "runs", 0, "id"), at(first, "runs", 1, "id"), at(second, "runs", 0, "id")];
    expect(ids).toEqual(ids.map(Number).toSorted((a, b) => b - a));
    expect(second).toMatchObject({ next: null });
    expect((await server.call("GET", `/runs/${ids[0]}`)).json).toEqual(at(all, 0));
    for (const query of ["outcome=nonsense", "active=maybe", "cursor=e30", "limit=0", "job=x"]) {
      expect([query, (await server.call("GET", `/runs?${query}`)).status]).toEqual([query, 422]);
    }
    const missing = await server.call("GET", "/runs/987654321");
    expect([missing.status, missing.json]).toMatchObject([404, { code: "run_not_found" }]);
  });

  it("can be waited for: at once when ended, until they end, or until the time is up", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    const early = await server.call("GET", `/runs/${run}/wait?timeout=0.05`);
    expect(early.json).toMatchObject({ id: run, finished_at: null, progress: expect.any(Number) });
    const waiting = [ended(run), ended(run)];
    work.open();
    for (const answer of await Promise.all([...waiting, ended(run)])) {
      expect(answer).toMatchObject({ outcome: "done", duration: expect.any(Number) });
    }
    for (const timeout of ["-1", "301", "x"]) {
      expect((await server.call("GET", `/runs/${run}/wait?timeout=${timeout}`)).status).toBe(422);
    }
    expect((await server.call("GET", "/runs/987654321/wait")).status).toBe(404);
  });

  it("are cancelled when their processor obeys", async () => {
    const work = await gated();
    await enqueue(work);
    const run = await underWay(work.queue);
    const cancelled = await server.call("POST", `/runs/${run}/cancel`);
    expect([cancelled.status, cancelled.json]).toEqual([202, null]);
    expect(await ended(run)).toMatchObject({ outcome: "cancelled", cancel_requested_at: expect.any(String) });
    expect((await server.call("GET", `/queue/${work.queue}`)).json).toEqual([]);
    expect((await server.call("GET", `/queue/${work.queue}/failed`)).json).toMatchObject({ jobs: [] });
    const again = await server.call("POST", `/runs/${run}/cancel`);
    expect([again.status, again.json]).toMatchObject([409, { code: "run_not_active" }]);
    expect((await server.call("POST", "/runs/987654321/cancel")).status).toBe(404);
  });

  it("are cancelled also when it does not: its worker is replaced, and other work goes on", async () => {
    const work = await makeWork([["tag", { tags: ["never"] }], ["deaf"]]);
    await enqueue(work);
    const run = await underWay(work.queue);
    expect((await server.call("POST", `/runs/${run}/cancel`)).status).toBe(202);
    expect(await ended(run)).toMatchObject({ outcome: "cancelled" });
    expect((await server.call("GET", `/vcon/${work.uuid}`)).headers.get("etag")).toBe('"1"');
    const other = await makeWork([["tag", { tags: ["on"] }]]);
    await enqueue(other);
    await eventually(async () => at(await runsOf(other.queue, "&outcome=done"), 0));
  });
});

describe("failed jobs", () => {
  it("are listed with their reason, and can be queued again", async () => {
    const repaired = join(directory, randomUUID());
    const work = await makeWork([
      ["tag", { tags: ["mended"] }],
      ["broken", { repaired }],
    ]);
    await enqueue(work);
    const failed = `/queue/${work.queue}/failed`;
    const shown = await eventually(async () => at((await server.call("GET", failed)).json, "jobs", 0));
    expect(shown).toMatchObject({
      job_type: "vcon_uuid",
      vcon_uuid: [work.uuid],
      attempts: 1,
      error: { code: "processor_failed", processor: "broken", step: 1 },
    });
    expect(at(shown, "error", "message")).toContain("this one is broken");
    const run = Number(at(shown, "run_id"));
    expect((await server.call("GET", `/runs/${run}`)).json).toMatchObject({ outcome: "failed", error: {} });
    writeFileSync(repaired, "");
    expect((await server.call("POST", `${failed}/${run + 1000}/requeue`)).status).toBe(404);
    expect((await server.call("POST", `${failed}/${run}/requeue`)).status).toBe(204);
    await eventually(async () => at(await runsOf(work.queue, "&outcome=done"), 0));
    expect((await server.call("GET", failed)).json).toEqual({ jobs: [], next: null });
    expect((await server.call("POST", `${failed}/${run}/requeue`)).status).toBe(404);
    expect((await server.call("GET", `/vcon/${work.uuid}`)).text).toContain("mended");
    expect((await server.call("GET", "/queue/none/failed")).status).toBe(404);
  });

  it("go to the failure queue where there is one; successes to theirs", async () => {
    const after = { success_queue: `good-${randomUUID()}`, failure_queue: `bad-${randomUUID()}` };
    for (const queue of Object.values(after)) await server.call("POST", `/queue/${queue}`);
    const good = await makeWork([["tag", { tags: ["ok"] }]], after);
    const bad = await makeWork([["broken"]], after);
    for (const [work, queue] of [
      [good, after.success_queue],
      [bad, after.failure_queue],
    ] as const) {
      await enqueue(work);
      const job = await eventually(async () => at((await server.call("GET", `/queue/${queue}`)).json, 0));
      const run = at(await runsOf(work.queue), 0, "id");
      expect(job).toMatchObject({
        job_type: "vcon_uuid",
        vcon_uuid: [work.uuid],
        queue: work.queue,
        failed_job_id: String(run),
      });
    }
  });
});

describe("a paused queue", () => {
  it("takes jobs and hands none out until it is resumed", async () => {
    const work = await makeWork([["tag", { tags: ["resumed"] }]]);
    const other = await makeWork([["tag", { tags: ["other"] }]]);
    const pause = (paused: boolean) => server.call("PATCH", `/queue/${work.queue}`, { body: { paused } });
    expect((await pause(true)).status).toBe(204);
    expect((await enqueue(work)).json).toBe(1);
    await enqueue(other);
    // Once a later job of another queue has run, this one had its chance.
    await eventually(async () => at(await runsOf(other.queue, "&outcome=done"), 0));
    expect((await server.call("GET", `/queue/${work.queue}`)).json).toHaveLength(1);
    expect((await pause(false)).status).toBe(204);
    await eventually(async () => at(await runsOf(work.queue, "&outcome=done"), 0));
    const missing = await server.call("PATCH", "/queue/none", { body: { paused: true } });
    expect(missing.status).toBe(404);
    for (const body of [{}, { paused: "maybe" }, ""]) {
      expect((await server.call("PATCH", `/queue/${work.queue}`, { body })).status).toBe(422);
    }
  });
});

describe("GET /events", () => {
  it("tells what happens to vCons, queues and runs, in order", async () => {
    const events = await followEvents(server, "/events");
    const filtered = await followEvents(server, "/events?types=run.finished,vcon");
    try {
      const work = await makeWork([["tag", { tags: ["told"] }]]);
      await enqueue(work);
      const about = (type: string) =>
        eventually(() =>
          events.seen.find(
            (event) =>
              at(event, "type") === type &&
              [at(event, "queue"), at(event, "uuid")].some(
                (name) => name === work.queue || name === work.uuid,
              ),
          ),
        );
      expect(await about("vcon.stored")).toEqual({
        type: "vcon.stored",
        uuid: work.uuid,
        revision: 1,
        tenant: "default",
        restricted: false,
      });
      expect(await about("queue.created")).toMatchObject({ queue: work.queue });
      expect(await about("job.queued")).toMatchObject({ job: expect.any(Number) });
      const started = await about("run.started");
      expect(await about("run.finished")).toMatchObject({ run: at(started, "run"), outcome: "done" });
      await eventually(() => filtered.seen.some((event) => at(event, "type") === "run.finished"));
      const types = new Set(filtered.seen.map((event) => at(event, "type")));
      expect([...types].toSorted()).toEqual(["run.finished", "vcon.stored"]);
    } finally {
      await events.close();
      await filtered.close();
    }
  });
});
