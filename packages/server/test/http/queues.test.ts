import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { at } from "./call.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(() => server.stop());

const job = (...uuids: readonly string[]) => ({ job_type: "vcon_uuid", vcon_uuid: uuids });
const put = (queue: string, body: unknown) => server.call("PUT", `/queue/${queue}`, { body });

describe("queues", () => {
  it("are made, listed and deleted with the statuses and texts of the reference", async () => {
    const made = await server.call("POST", "/queue/a queue");
    expect([made.status, made.text]).toEqual([204, ""]);
    const twice = await server.call("POST", "/queue/a queue");
    expect([twice.status, twice.json]).toEqual([
      422,
      {
        detail: "queue: a queue already exists",
        code: "queue_exists",
        exception_class: "QueueAlreadyExists",
      },
    ]);
    expect((await server.call("GET", "/queues")).json).toContain("a queue");
    await put("a queue", job("u1"));
    await put("a queue", job("u2"));
    const deleted = await server.call("DELETE", "/queue/a queue");
    expect([deleted.status, deleted.json]).toMatchObject([200, [job("u1"), job("u2")]]);
    expect((await server.call("GET", "/queues")).json).not.toContain("a queue");
  });

  it.each(["GET", "DELETE", "PUT"])("that are missing are 404 for %s", async (method) => {
    const answer = await server.call(method, "/queue/missing", method === "PUT" ? { body: job("u") } : {});
    expect([answer.status, answer.json]).toEqual([
      404,
      { detail: "queue: missing not found", code: "queue_not_found", exception_class: "QueueDoesNotExist" },
    ]);
  });

  it("have names of up to 200 characters", async () => {
    for (const [name, status] of [
      ["x".repeat(200), 204],
      ["x".repeat(201), 422],
      ["%0A", 422],
      ["a%2Fb", 422],
    ] as const) {
      expect([name, (await server.call("POST", `/queue/${name}`)).status]).toEqual([name, status]);
    }
  });
});

describe("PUT /queue/{name}", () => {
  beforeAll(async () => {
    for (const name of ["jobs", "strict", "ordered"]) await server.call("POST", `/queue/${name}`);
  });

  it("answers with the bare length of the queue; the vCon need not exist", async () => {
    const first = await put("jobs", job("u1"));
    expect([first.status, first.text, first.headers.get("content-type")]).toEqual([
      200,
      "1",
      "application/json",
    ]);
    expect((await put("jobs", { vcon_uuid: ["u2"] })).text).toBe("2");
    expect((await put("jobs", job("u3", "u4"))).text).toBe("3");
    expect((await server.call("GET", "/queue/jobs")).json).toMatchObject([
      job("u1"),
      job("u2"),
      job("u3", "u4"),
    ]);
    const first0 = at((await server.call("GET", "/queue/jobs")).json, 0);
    expect(first0).not.toHaveProperty("queue");
    // As a job is listed that came from another queue.
    await put("strict", { ...job("u5"), queue: "jobs" });
    expect(at((await server.call("DELETE", "/queue/strict")).json, 0)).toMatchObject(job("u5"));
    await server.call("POST", "/queue/strict");
    expect(first0).not.toHaveProperty("failed_job_id");
  });

  it("refuses bad jobs with 422 where the reference failed or took them", async () => {
    for (const [body, detail] of [
      [job(), "vcon_uuids array must contain at least one UUID"],
      [{}, "vcon_uuids array must contain at least one UUID"],
      [{ job_type: "foo", my_stuff: [] }, expect.stringContaining("job_type")],
      [{ job_type: "foo", vcon_uuid: ["u"] }, expect.stringContaining("job_type")],
    ] as const) {
      const answer = await put("strict", body);
      expect([answer.status, answer.json]).toMatchObject([422, { detail, code: "invalid_job" }]);
    }
    for (const body of [
      { vcon_uuid: "u" },
      { vcon_uuid: [1, {}] },
      { vcon_uuid: [""] },
      { vcon_uuid: null },
      { vcon_uuid: ["u"], priority: "high" },
      { vcon_uuid: ["u"], delay: -1 },
      { vcon_uuid: Array.from({ length: 1001 }, String) },
      "not json",
      "",
      [],
    ]) {
      const answer = await put("strict", body);
      expect([body, answer.status, Array.isArray(at(answer.json, "detail"))]).toEqual([body, 422, true]);
    }
    expect((await server.call("GET", "/queue/strict")).json).toEqual([]);
  });

  it("keeps the order of priority and arrival, and takes a unique key once", async () => {
    await put("ordered", { ...job("late"), priority: -1 });
    await put("ordered", job("first"));
    await put("ordered", job("second"));
    await put("ordered", { ...job("urgent"), priority: 5 });
    const ids = async () => {
      const jobs = (await server.call("GET", "/queue/ordered")).json;
      return Array.isArray(jobs) ? jobs.map((entry) => at(entry, "vcon_uuid", 0)) : undefined;
    };
    expect(await ids()).toEqual(["urgent", "first", "second", "late"]);
    await put("ordered", { ...job("unique"), unique_key: "k" });
    const again = await put("ordered", { ...job("unique"), unique_key: "k" });
    expect([again.status, again.json]).toEqual([200, 5]);
    expect(await ids()).toHaveLength(5);
    const page = (await server.call("GET", "/queue/ordered?offset=1&limit=2")).json;
    expect(page).toMatchObject([job("first"), job("second")]);
  });

  it("keeps a delayed job back, and shows when it may run", async () => {
    await server.call("POST", "/queue/delayed");
    await put("delayed", { ...job("u"), delay: 3600 });
    expect((await server.call("GET", "/queue/delayed")).json).toMatchObject([
      { vcon_uuid: ["u"], run_after: expect.stringMatching(/^\d{4}-/) },
    ]);
  });
});

describe("a waiting job", () => {
  it("can be cancelled, once", async () => {
    await server.call("POST", "/queue/cancelled");
    const id = (await put("cancelled", job("u"))).headers.get("vconductor-job-id");
    expect((await server.call("DELETE", `/queue/other/job/${id}`)).status).toBe(404);
    expect((await server.call("DELETE", `/queue/cancelled/job/${id}`)).status).toBe(204);
    const again = await server.call("DELETE", `/queue/cancelled/job/${id}`);
    expect([again.status, again.json]).toMatchObject([404, { exception_class: "JobDoesNotExist" }]);
  });
});
