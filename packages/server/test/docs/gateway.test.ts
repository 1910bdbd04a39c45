import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

let directory: string;
let server: TestServer;
let services: string | undefined;
let celery: string | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-gateway-docs-"));
  const text = await readFile(new URL("../../../../docs/gateway.md", import.meta.url), "utf8");
  [services = "", celery = ""] = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => json);
  const file = join(directory, "gateway.json");
  await writeFile(file, services);
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", GATEWAY_CONFIG: file });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

it("docs/gateway.md: the configuration for Celery is one", async () => {
  const file = join(directory, "celery.json");
  await writeFile(file, (celery ?? "").replace("localhost:5672", "127.0.0.1:1"));
  const { gateway } = readConfig({ GATEWAY_CONFIG: file });
  expect(gateway?.WORKER_SERVICES.transcriber?.transport).toBe("celery");
  // A broker that is not there holds nothing up.
  const other = await startTestServer({
    RUN_BACKGROUND_JOBS: "false",
    GATEWAY_CONFIG: file,
    LOG_LEVEL: "fatal",
  });
  const asked = await other.call("POST", "/gateway/transcriber/process?doc_url=http://docs.example/a");
  expect(asked.status).toBe(200);
  await other.stop();
});

describe.skipIf(!hasCurl)("docs/gateway.md (skipped without curl 7.82 or later)", () => {
  it("A first session", async () => {
    const said = await follow("docs/gateway.md", "A first session", { URL: server.url });
    expect(said).toMatch(
      /"status":"PENDING".*"status":"PROGRESS","result":\{"current":40.*"status":"SUCCESS","result":\[\{"text":"bonjour"\}\]/s,
    );
  });
});
