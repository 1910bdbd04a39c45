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

  it("is 404 for one that is not there", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const missing = await user.put(pipeline, { n: 1 }, "DONE");
    expect([missing.status, missing.json]).toEqual([
      404,
      { detail: "Task to be modified could not be found" },
    ]);
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).status).toBe(404);
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
      expect([late.status, detail(late)]).toEqual([409, "Nobody has claimed the task"]);
    } finally {
      await server.stop();
    }
  });

  it("are without end unless they are asked for", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline);
    const recovered = await api.stores.jobs.recover({
      reason: { code: "lease_expired", message: "m" },
      crashLimit: 3,
      failureQueueOf: async () => undefined,
    });
    expect(recovered).toEqual([]);
    await user.call("POST", `${pathOf(pipeline, { n: 1 })}/report`, { progress: 5 });
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).json).toMatchObject({ progress: 5 });
  });
});

async function adminTokenOn(url: string): Promise<string> {
  const urls = { vcons: url, queues: url, pipelines: url, state: url };
  const stores = openStores({ urls, poolSize: 1, leaseMs: 1000, application: "test" });
  const { queueDatabase: database, jobs, remoteJobs } = stores;
  const ledger = postgresLedger({ database, jobs, remoteJobs, serverKey: "test" });
  const token = await ledger.addToken({ pipeline: undefined, description: "first" });
  await stores.stop();
  return token;
}
