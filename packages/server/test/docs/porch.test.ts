import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(() => server.stop());

describe.skipIf(!hasCurl)("docs/porch.md (skipped without curl 7.82 or later)", () => {
  it("A first session", async () => {
    const said = await follow("docs/porch.md", "A first session", {
      URL: server.url,
      VCON_STORAGE_URL: server.database,
    });
    expect(said).toContain('"task_input":{ "run": 45925, "lane": 1 },"status":"PENDING"}{');
    expect(said).toMatch(/"status":"DONE"\}$/);
  });
});
