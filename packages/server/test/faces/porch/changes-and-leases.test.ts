import { afterAll, describe, expect, it } from "vitest";
import { postgresLedger } from "../../../src/ledger/postgres-ledger.ts";
import { openStores } from "../../../src/stores.ts";
import { at } from "../../http/call.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer } from "../../setup/test-server.ts";
import { detail, makePipeline, Porch, pathOf, startPorch } from "./porch.ts";

const { api, admin, nobody } = await startPorch();
afterAll(() => api.stop());

describe("changing a task", () => {
  it("takes any status from any other, and says so in its history", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline);
    const path = [
      "RUNNING",
      "DONE",
      "PENDING",
      "CLAIMED",
      "FAILED",
      "FAILED",
      "CANCELLED",
      "RUNNING",
      "PENDING",
      "PENDING",
    ];
    for (const status of path) {
      const changed = await user.put(pipeline, { n: 1 }, status);
      expect([changed.status, at(changed.json, "status")]).toEqual([200, status]);
      const claimable = status === "PENDING" ? 1 : 0;
      const queued = await api.stores.jobs.listWaiting({
        viewer: { tenant: "default", all: true, grantees: [] },
        queue: `porch/${pipeline.name}`,
        offset: 0,
        limit: 9,
      });
      expect([status, queued.length]).toEqual([status, claimable]);
    }
    const events = await nobody.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
    expect(Object(events.json).map((event: unknown) => at(event, "change"))).toEqual([
      "Created",
      "Task claimed",
      ...path.map((status) => `Task changed, new status ${status}`),
    ]);
    expect(at(events.json, 0)).toEqual({
      time: expect.stringMatching(/Z$/),
      change: "Created",
      message: null,
      token: `worker of ${pipeline.name}`,
    });
    // The runs of the engine have ended with it.
    const runs = await api.call("GET", `/runs?queue=${encodeURIComponent(`porch/${pipeline.name}`)}`);
    expect(Object(at(runs.json, "runs")).map((run: unknown) => at(run, "outcome"))).toEqual(["done"]);
  });

  it("keeps a message and the progress", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.put(pipeline, { n: 1 }, "FAILED", { message: "no disk", progress: 30 });
    const task = await nobody.call("GET", pathOf(pipeline, { n: 1 }));
    expect(task.json).toMatchObject({
      task_input: { n: 1 },
      status: "FAILED",
      message: "no disk",
      progress: 30,
    });
    const events = await nobody.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
    expect(at(events.json, 1)).toMatchObject({
      change: "Task changed, new status FAILED",
      message: "no disk",
    });
  });

  it("keeps what was said while work goes on, and forgets it when the task is PENDING again", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    const said = async () => {
      const { json } = await nobody.call("GET", pathOf(pipeline, { n: 1 }));
      return [at(json, "status"), at(json, "progress"), at(json, "message")];
    };
    await user.put(pipeline, { n: 1 }, "RUNNING", { message: "half", progress: 50 });
    await user.put(pipeline, { n: 1 }, "RUNNING");
    expect(await said()).toEqual(["RUNNING", 50, "half"]);
    // Nobody has claimed it, and somebody works on it: that one may report, and without a lease.
    const reported = await user.call("POST", `${pathOf(pipeline, { n: 1 })}/report`, { progress: 60 });
    expect([reported.status, await said()]).toEqual([200, ["RUNNING", 60, "half"]]);
    await user.put(pipeline, { n: 1 }, "FAILED");
    expect(await said()).toEqual(["FAILED", 60, null]);
    await user.put(pipeline, { n: 1 }, "PENDING");
    expect(await said()).toEqual(["PENDING", null, null]);
    await user.put(pipeline, { n: 1 }, "PENDING", { message: "later, please" });
    expect(await said()).toEqual(["PENDING", null, "later, please"]);
    const late = await user.call("POST", `${pathOf(pipeline, { n: 1 })}/report`, { progress: 70 });
    expect([late.status, detail(late)]).toEqual([409, "Nobody works on the task: it is PENDING"]);
  });

  it("follows an operator who takes its run off, or puts it back", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const n of [1, 2]) await user.register(pipeline, { n });
    const claims = await user.claim(pipeline, "?num_tasks=2&lease=600");
    const claim = (n: number) => String(at(claims.json, n - 1, "claim"));
    expect((await api.call("DELETE", `/in_progress/${claim(1)}`)).status).toBe(204);
    expect((await api.call("PUT", `/in_progress/${claim(2)}`)).status).toBe(204);
    for (const [n, status] of [
      [1, "CANCELLED"],
      [2, "PENDING"],
    ] as const) {
      expect((await nobody.call("GET", pathOf(pipeline, { n }))).json).toMatchObject({ status });
      const late = await user.put(pipeline, { n }, "DONE", { claim: Number(claim(n)) });
      expect([late.status, detail(late)]).toEqual([409, `The claim ${claim(n)} has passed on`]);
    }
    expect((await user.claim(pipeline, "?num_tasks=9")).json).toMatchObject([{ task_input: { n: 2 } }]);
  });

  it("is 404 for one that is not there", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const missing = await user.put(pipeline, { n: 1 }, "DONE");
    expect([missing.status, missing.json]).toEqual([
      404,
      { detail: "Task to be modified could not be found" },
    ]);
    const unknown = await nobody.call("GET", pathOf(pipeline, { n: 1 }));
    expect([unknown.status, unknown.json]).toEqual([404, { detail: "Task not found" }]);
    expect((await nobody.call("GET", `/pipelines/${pipeline.name}/tasks/xyz`)).status).toBe(422);
  });
});

describe("leases", () => {
  it("bring a task back whose worker says nothing, and are kept by reports", async () => {
    const server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ACCESS: "off" });
    try {
      const boss = new Porch(`${server.url}/porch`, await adminTokenOn(server.database));
      const { pipeline, user } = await makePipeline(boss);
      await user.register(pipeline, { n: 1 });
      await user.register(pipeline, { n: 2 });
      expect((await user.claim(pipeline, "?lease=1&num_tasks=2")).json).toHaveLength(2);
      const kept = await user.call("POST", `${pathOf(pipeline, { n: 2 })}/report`, {
        lease: 600,
        progress: 40,
        message: "two fifths",
      });
      expect(kept.json).toMatchObject({ status: "CLAIMED", progress: 40, message: "two fifths" });
      const again = await eventually(async () => {
        const { json } = await user.claim(pipeline);
        return at(json, 0) === undefined ? undefined : json;
      });
      expect(again).toMatchObject([{ task_input: { n: 1 } }]);
      const events = await boss.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
      expect(Object(events.json).slice(2)).toEqual([
        {
          time: expect.any(String),
          change: "Task changed, new status PENDING",
          message: expect.stringContaining("lease ran out"),
          token: null,
        },
        expect.objectContaining({ change: "Task claimed" }),
      ]);
      await user.put(pipeline, { n: 2 }, "DONE");
      const late = await user.call("POST", `${pathOf(pipeline, { n: 2 })}/report`, { lease: 5 });
      expect([late.status, detail(late)]).toEqual([409, "Nobody works on the task: it is DONE"]);
    } finally {
      await server.stop();
    }
  });

  it("refuse a late writer who names its claim", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    const path = `${pathOf(pipeline, { n: 1 })}/report`;
    const first = await user.claim(pipeline, "?lease=600");
    expect(at(first.json, 0)).toEqual({
      pipeline,
      task_input_id: expect.any(String),
      task_input: { n: 1 },
      status: "CLAIMED",
      claim: expect.any(Number),
      lease_until: expect.stringMatching(/Z$/),
    });
    const [mine, lease] = [at(first.json, 0, "claim"), Date.parse(String(at(first.json, 0, "lease_until")))];
    expect(lease).toBeGreaterThan(Date.now() + 500_000);
    expect((await user.call("POST", path, { claim: mine, progress: 10 })).status).toBe(200);
    await runOut(pipeline);
    expect(await recover()).toHaveLength(1);
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).json).toMatchObject({
      status: "PENDING",
      progress: null,
    });
    const second = await user.claim(pipeline, "?lease=600");
    const theirs = at(second.json, 0, "claim");
    const refused = { status: 409, json: { detail: `The claim ${mine} has passed on` } };
    expect(await user.call("POST", path, { claim: mine, progress: 90, lease: 1 })).toMatchObject(refused);
    expect(await user.put(pipeline, { n: 1 }, "DONE", { claim: mine })).toMatchObject(refused);
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).json).toMatchObject({
      status: "CLAIMED",
      progress: null,
    });
    // Whoever has it may say twice that it is done: the first answer may have been lost.
    for (const _ of [1, 2])
      expect((await user.put(pipeline, { n: 1 }, "DONE", { claim: theirs })).status).toBe(200);
    await user.put(pipeline, { n: 1 }, "PENDING");
    expect((await user.put(pipeline, { n: 1 }, "DONE", { claim: theirs })).status).toBe(409);
  });

  it("refuse reports with another token than the claimer's, unless they name the claim", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const made = await admin.call("POST", `/pipelines/${pipeline.name}/token/other`);
    const other = user.as(String(at(made.json, "token")));
    await user.register(pipeline, { n: 1 });
    const path = `${pathOf(pipeline, { n: 1 })}/report`;
    const claim = at((await user.claim(pipeline, "?lease=600")).json, 0, "claim");
    const refused = await other.call("POST", path, { progress: 10 });
    expect([refused.status, detail(refused)]).toEqual([
      409,
      "The task is claimed with another token, for a time",
    ]);
    expect((await user.call("POST", path, { progress: 20 })).status).toBe(200);
    expect((await other.call("POST", path, { progress: 30, claim })).json).toMatchObject({ progress: 30 });
    // What npg_porch allows stays allowed.
    expect((await other.put(pipeline, { n: 1 }, "RUNNING")).status).toBe(200);
  });

  it("are extended by a change to CLAIMED or RUNNING, as by a report", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline, "?lease=600");
    for (const status of ["CLAIMED", "RUNNING"]) {
      await runOut(pipeline);
      await user.put(pipeline, { n: 1 }, status, { progress: 30, message: "a third" });
      expect(await recover()).toEqual([]);
    }
    const runs = await api.call("GET", `/runs?queue=${encodeURIComponent(`porch/${pipeline.name}`)}`);
    expect(at(runs.json, "runs", 0)).toMatchObject({ outcome: null, progress: 30, message: "a third" });
    // A report may give it another length, also where it had none.
    await user.register(pipeline, { n: 2 });
    await user.claim(pipeline);
    await user.call("POST", `${pathOf(pipeline, { n: 2 })}/report`, { lease: 300 });
    await runOut(pipeline);
    await user.put(pipeline, { n: 2 }, "RUNNING");
    expect(await recover()).toHaveLength(1);
    expect((await nobody.call("GET", pathOf(pipeline, { n: 2 }))).json).toMatchObject({ status: "RUNNING" });
  });

  it("are without end unless they are asked for", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline);
    expect(await recover()).toEqual([]);
    await user.call("POST", `${pathOf(pipeline, { n: 1 })}/report`, { progress: 5 });
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).json).toMatchObject({ progress: 5 });
  });
});

/** The leases of a pipeline's claims end now. */
async function runOut({ name }: { readonly name: string }): Promise<void> {
  await api.stores.queueDatabase.run((db) =>
    db
      .updateTable("vconductor.run")
      .set({ lease_until: new Date(Date.now() - 60_000) })
      .where("queue", "=", `porch/${name}`)
      .execute(),
  );
}

/** What the server does now and then. @returns the runs whose lease had ended */
function recover(): Promise<readonly number[]> {
  return api.stores.jobs.recover({
    reason: { code: "lease_expired", message: "m" },
    crashLimit: 3,
    failureQueueOf: async () => undefined,
  });
}

async function adminTokenOn(url: string): Promise<string> {
  const urls = { vcons: url, queues: url, pipelines: url, state: url };
  const stores = openStores({ urls, poolSize: 1, leaseMs: 1000, application: "test" });
  const { queueDatabase: database, jobs, remoteJobs } = stores;
  const ledger = postgresLedger({ database, jobs, remoteJobs, serverKey: "test" });
  const token = await ledger.addToken({ pipeline: undefined, description: "first" });
  await stores.stop();
  return token;
}
