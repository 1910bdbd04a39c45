import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false" });
});
afterAll(() => server.stop());

describe.skipIf(!hasCurl)("docs/sisyphus.md (skipped without curl 7.82 or later)", () => {
  it("A first session", async () => {
    const said = await follow("docs/sisyphus.md", "A first session", { URL: server.url });
    expect(said).toContain('"entries":1,"attributes":{"disabled":false}}');
    expect(said).toMatch(/"jobs":\[\{ "job_title": "tidy up"/);
  });
});
