import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { at } from "./call.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(() => server.stop());

describe("operations", () => {
  it("tell that the server lives and is ready, and what it is", async () => {
    for (const [path, status] of [
      ["/health", "ready"],
      ["/health/ready", "ready"],
      ["/health/live", "live"],
    ]) {
      const answer = await server.call("GET", path ?? "");
      expect([path, answer.status, answer.json]).toEqual([path, 200, { status, reasons: [] }]);
    }
    expect((await server.call("GET", "/version")).json).toEqual({
      vconductor: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      vcon: expect.any(String),
    });
  });

  it("count requests by route, not by path", async () => {
    await server.call("GET", "/vcon/not-there-1");
    await server.call("GET", "/vcon/not-there-2");
    await server.call("POST", "/queue/measured");
    await server.call("PUT", "/queue/measured", { body: { vcon_uuid: ["u"] } });
    const metrics = await server.call("GET", "/metrics");
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(metrics.text).toMatch(/_count\{method="GET",route="\/vcon\/:vcon_uuid",status="404"[^}]*\} 2\n/);
    expect(metrics.text).toMatch(/queue="measured"[^\n]* 1\n/);
    expect(metrics.text).not.toContain("not-there");
    for (const line of metrics.text.split("\n").filter((line) => line !== "")) {
      expect(line).toMatch(/^(#.*|[a-zA-Z_:][\w:]*(\{.*\})? -?[\d.e+-]+|.* (NaN|[+-]Inf))$/);
    }
  });

  it("give every answer a request id of its own", async () => {
    const ids = await Promise.all(
      ["/health", "/nope", "/vcon/%zz", "/queues/"].map(async (path) =>
        (await server.call("GET", path)).headers.get("x-request-id"),
      ),
    );
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toBeTruthy();
  });
});

describe("LAUNCH_ADMIN_API and LAUNCH_VCON_API", () => {
  const admin = [
    "/server/info",
    "/servers",
    "/server/queues",
    "/queues",
    "/in_progress",
    "/pipelines",
    "/runs",
  ];
  const vcons = ["/vcons"];

  it.each([
    [{ LAUNCH_ADMIN_API: "False" }, vcons, admin],
    [{ LAUNCH_VCON_API: "" }, admin, vcons],
    [{ LAUNCH_ADMIN_API: "0", LAUNCH_VCON_API: "no" }, [], [...admin, ...vcons]],
  ] as const)("%j", async (env, there, gone) => {
    const part = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ...env });
    try {
      for (const path of there) expect([path, (await part.call("GET", path)).status]).toEqual([path, 200]);
      for (const path of gone) expect([path, (await part.call("GET", path)).status]).toEqual([path, 404]);
      const paths = Object.keys(Object(at((await part.call("GET", "/openapi.json")).json, "paths")));
      for (const path of there) expect(paths).toContain(path);
      for (const path of gone) expect(paths).not.toContain(path);
      expect((await part.call("GET", "/health/ready")).status).toBe(200);
      expect((await part.fetch("/docs")).status).toBe(200);
    } finally {
      await part.stop();
    }
  });
});
