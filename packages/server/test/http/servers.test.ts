import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { at } from "./call.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", WORK_QUEUES: "A:4,DDD:5,C:1,E:,F,G:14" });
});
afterAll(() => server.stop());

const queues = async () => (await server.call("GET", "/server/queues")).json;

describe("servers", () => {
  it("tell about themselves what the reference tells", async () => {
    const info = await server.call("GET", "/server/info");
    const { hostname, port } = new URL(server.url);
    expect(info.json).toMatchObject({
      py_vcon_server: expect.any(String),
      vcon: expect.any(String),
      host: hostname,
      port: Number(port),
      pid: process.pid,
      start_time: expect.any(Number),
      num_workers: 1,
      state: "running",
      last_heartbeat: expect.any(Number),
      settings: { REST_URL: server.url, WORK_QUEUES: { DDD: { weight: 5 } } },
    });
    expect(Object.keys(Object(at(info.json, "settings"))).toSorted()).toEqual([
      "CORS_ORIGINS",
      "LAUNCH_ADMIN_API",
      "LAUNCH_VCON_API",
      "LOG_LEVEL",
      "NUM_RESTAPI_WORKERS",
      "PLUGIN_PATHS",
      "REST_URL",
      "WORK_QUEUES",
    ]);
    const all = (await server.call("GET", "/servers")).json;
    const key = `${hostname}:${port}:${process.pid}:${at(info.json, "start_time")}`;
    expect(at(all, key)).toMatchObject({ pid: process.pid, state: "running" });
  });

  it("that are not there cannot be deleted", async () => {
    const answer = await server.call("DELETE", "/servers/host:1:2:3.5");
    expect([answer.status, answer.json]).toEqual([
      404,
      { detail: "server state for: host:1:2:3.5 not found", code: "server_not_found" },
    ]);
  });

  it("whose record was deleted answer null, as the reference does", async () => {
    const other = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
    try {
      const [key = ""] = Object.keys(Object((await other.call("GET", "/servers")).json));
      expect((await other.call("DELETE", `/servers/${encodeURIComponent(key)}`)).status).toBe(204);
      const info = await other.call("GET", "/server/info");
      // A heartbeat may have brought the record back already.
      expect(info.status).toBe(200);
      if (info.json !== null) expect(info.json).toMatchObject({ pid: process.pid });
    } finally {
      await other.stop();
    }
  });
});

describe("the queues that a server tends", () => {
  it("come from WORK_QUEUES at first", async () => {
    expect(await queues()).toEqual({
      A: { weight: 4 },
      DDD: { weight: 5 },
      C: { weight: 1 },
      E: { weight: 1 },
      F: { weight: 1 },
      G: { weight: 14 },
    });
  });

  it("are added, changed and taken off", async () => {
    const post = (body: unknown) => server.call("POST", "/server/queue/new", { body });
    for (const [body, weight] of [
      [{}, 1],
      [{ weight: 3 }, 3],
      [{ weight: "7", other: "dropped" }, 7],
      [{ weight: 0 }, 0],
      [{ weight: -2 }, -2],
    ] as const) {
      const answer = await post(body);
      expect([answer.status, answer.text]).toEqual([204, ""]);
      expect(await queues()).toMatchObject({ new: { weight } });
    }
    for (const body of ["", { weight: "heavy" }, { weight: 1.5 }, { weight: null }, [], "7"]) {
      const answer = await post(body);
      expect([body, answer.status, Array.isArray(at(answer.json, "detail"))]).toEqual([body, 422, true]);
    }
    expect(await queues()).toMatchObject({ new: { weight: -2 } });
    expect((await server.call("DELETE", "/server/queue/new")).status).toBe(204);
    const again = await server.call("DELETE", "/server/queue/new");
    expect([again.status, again.json]).toMatchObject([404, { detail: "queue: new not found" }]);
    expect(await queues()).not.toHaveProperty("new");
  });

  it("stay when the job queue goes", async () => {
    await server.call("POST", "/queue/A");
    await server.call("DELETE", "/queue/A");
    expect(await queues()).toMatchObject({ A: { weight: 4 } });
  });
});
