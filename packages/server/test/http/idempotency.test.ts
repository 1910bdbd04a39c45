import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { vcon } from "./documents.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
  await server.call("POST", "/queue/jobs");
});
afterAll(() => server.stop());

const send = (method: string, path: string, { key, body }: { key: string; body?: unknown }) =>
  server.call(method, path, { body, headers: { "idempotency-key": key } });
const job = { job_type: "vcon_uuid", vcon_uuid: ["u"] };
const length = async () => {
  const jobs = (await server.call("GET", "/queue/jobs")).json;
  return Array.isArray(jobs) ? jobs.length : Number.NaN;
};

describe("Idempotency-Key", () => {
  it.each([
    ["POST", "/vcon", vcon("once"), 204],
    ["POST", "/queue/once", undefined, 204],
    ["PUT", "/queue/jobs", job, 200],
    ["PUT", "/pipeline/once", { pipeline_options: {}, processors: [] }, 204],
    ["PUT", "/queue/missing", job, 404],
    ["PUT", "/queue/jobs", { vcon_uuid: [] }, 422],
    ["POST", "/server/queue/once", {}, 204],
  ] as const)("replays the answer of %s %s", async (method, path, body, status) => {
    const key = `replay ${method} ${path} ${status}`;
    const first = await send(method, path, { key, body });
    const second = await send(method, path, { key, body });
    expect([first.status, second.status]).toEqual([status, status]);
    expect(second.text).toBe(first.text);
    for (const name of ["content-type", "etag", "location", "vconductor-job-id"]) {
      expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    }
    expect([first, second].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
  });

  it("has no second effect", async () => {
    const before = await length();
    for (let n = 0; n < 5; n += 1) await send("PUT", "/queue/jobs", { key: "effect", body: job });
    expect(await length()).toBe(before + 1);
    await send("POST", "/vcon", { key: "stored", body: vcon("revised") });
    await send("POST", "/vcon", { key: "stored", body: vcon("revised") });
    expect((await server.call("GET", "/vcon/revised")).headers.get("etag")).toBe('"1"');
  });

  it("lets one of many identical requests through at a time", async () => {
    const before = await length();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => send("PUT", "/queue/jobs", { key: "parallel", body: job })),
    );
    expect(await length()).toBe(before + 1);
    expect(
      answers.filter(({ status, headers }) => status === 200 && !headers.has("idempotency-replayed")),
    ).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 200) expect(answer.json).toBe(before + 1);
      else expect([answer.status, answer.headers.get("retry-after")]).toEqual([409, "1"]);
    }
  });

  it("is for one request: another body, path, query or method is refused", async () => {
    await send("PUT", "/queue/jobs", { key: "own", body: job });
    for (const [method, path, body] of [
      ["PUT", "/queue/jobs", { ...job, priority: 1 }],
      ["PUT", "/queue/jobs?x=1", job],
      ["PUT", "/queue/other", job],
      ["POST", "/queue/jobs", undefined],
    ] as const) {
      const answer = await send(method, path, { key: "own", body });
      expect([path, answer.status, answer.json]).toMatchObject([
        path,
        422,
        { code: "idempotency_key_reused" },
      ]);
    }
  });

  it("must be printable and not too long; reads take no notice of it", async () => {
    for (const key of ["x".repeat(256), "tab\there", "ü"]) {
      expect([key, (await send("PUT", "/queue/jobs", { key, body: job })).status]).toEqual([key, 422]);
    }
    for (let n = 0; n < 2; n += 1) {
      const read = await send("GET", "/queues", { key: "read" });
      expect([read.status, read.headers.has("idempotency-replayed")]).toEqual([200, false]);
    }
  });

  it("is not used up by a body that is not understood", async () => {
    const broken = await send("PUT", "/queue/jobs", { key: "broken", body: "{" });
    expect(broken.status).toBe(422);
    expect((await send("PUT", "/queue/jobs", { key: "broken", body: job })).status).toBe(200);
  });
});
