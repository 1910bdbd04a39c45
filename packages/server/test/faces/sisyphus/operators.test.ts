import { afterAll, beforeAll, expect, it } from "vitest";
import { at } from "../../http/call.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { type SisyphusClient, sisyphusClient, success } from "./client.ts";

// What operators do to the run of a job with the server's own API.

let server: TestServer;
let sisyphus: SisyphusClient;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", CLIENT_EXPIRY: "3600" });
  sisyphus = sisyphusClient(`${server.url}/sisyphus`);
  await sisyphus.beat("w");
});
afterAll(() => server.stop());

const send: SisyphusClient["send"] = (...request) => sisyphus.send(...request);

/** A job that a worker has, and its run. */
async function begun(title: string) {
  const id = await sisyphus.add(title);
  expect(at((await sisyphus.poll("w")).json, "job_id")).toBe(id);
  await sisyphus.beat("w", { status: "in_progress", job_id: id });
  const { json } = await server.call("GET", "/runs?queue=sisyphus%2Fdefault&active=true");
  return { id, run: Number(at(json, "runs", 0, "id")) };
}

/** The jobs that have failed, the last first, and why. */
async function failed() {
  const { json } = await send("GET", "/jobs?state=failed");
  const jobs: unknown[] = Object(at(json, "jobs"));
  return jobs.map((job) => [at(job, "job_id"), at(job, "info")]);
}

it("a job whose run is removed has failed", async () => {
  const { id, run } = await begun("removed");
  expect((await server.call("DELETE", `/in_progress/${run}`)).status).toBe(204);
  expect((await send("GET", `/jobs/${id}`)).status).toBe(404);
  expect(await failed()).toEqual([[id, { message: "removed by an operator" }]]);
  expect((await send("GET", "/queue")).json).toMatchObject({ queue: [], entries: 0 });
  // Its worker does not know, and is not to fail.
  expect((await send("PATCH", `/jobs/${id}/completed`, success)).status).toBe(204);
  expect(await failed()).toHaveLength(1);
});

it("a job whose run is to be cancelled has failed when its worker begins anew", async () => {
  const { id, run } = await begun("cancelled");
  expect((await server.call("POST", `/runs/${run}/cancel`)).status).toBe(202);
  expect((await send("GET", `/jobs/${id}`)).status).toBe(200);
  await sisyphus.beat("w", { status: "startup", online_at: "None" });
  expect(at((await server.call("GET", `/runs/${run}`)).json, "outcome")).toBe("cancelled");
  expect((await send("GET", `/jobs/${id}`)).status).toBe(404);
  expect((await failed())[0]).toEqual([id, { message: "cancelled on request" }]);
  expect((await send("GET", "/queue/poll")).status).toBe(404);
});

it("a job that is put back waits, and is the next one's", async () => {
  const { id, run } = await begun("put back");
  expect((await server.call("PUT", `/in_progress/${run}`)).status).toBe(204);
  expect((await send("GET", "/queue")).json).toMatchObject({ queue: [{ job_id: id }], entries: 1 });
  // Its worker goes on with it, and says so.
  await sisyphus.beat("w", { status: "in_progress", job_id: id });
  expect((await send("PATCH", `/jobs/${id}/completed`, success)).status).toBe(204);
  expect((await send("GET", "/queue")).json).toMatchObject({ queue: [], entries: 0 });
  expect(at((await send("GET", "/jobs")).json, "jobs", 0)).toMatchObject({ job_id: id, failed: false });
});
