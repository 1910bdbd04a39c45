import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

let directory: string;
let server: TestServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-gateway-docs-"));
  const text = await readFile(new URL("../../../../docs/gateway.md", import.meta.url), "utf8");
  const [, json = ""] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
  const file = join(directory, "gateway.json");
  await writeFile(file, json);
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", GATEWAY_CONFIG: file });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

describe.skipIf(!hasCurl)("docs/gateway.md (skipped without curl 7.82 or later)", () => {
  it("A first session", async () => {
    const said = await follow("docs/gateway.md", "A first session", { URL: server.url });
    expect(said).toMatch(
      /"status":"PENDING".*"status":"PROGRESS","result":\{"current":40.*"status":"SUCCESS","result":\[\{"text":"bonjour"\}\]/s,
    );
  });
});
