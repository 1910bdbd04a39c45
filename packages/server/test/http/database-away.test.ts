import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtin } from "../../src/processors/builtin/index.ts";
import { createDatabase, type TestDatabase } from "../setup/database.ts";
import { type DatabaseProxy, proxyTo } from "../setup/database-proxy.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { definition, vcon } from "./documents.ts";
import { OpenApiDocument } from "./openapi-document.ts";

let database: TestDatabase;
let way: DatabaseProxy;
let server: TestServer;
beforeAll(async () => {
  database = await createDatabase();
  way = await proxyTo(database.url);
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", VCON_STORAGE_URL: way.url });
});
afterAll(async () => {
  await server.stop();
  await way.cut();
  await database.drop();
});

describe("while the database is away", () => {
  it("every route answers 503 as documented, and all is well again when it is back", async () => {
    const document = new OpenApiDocument((await server.call("GET", "/openapi.json")).json);
    expect((await server.call("POST", "/vcon", { body: vcon("u") })).status).toBe(204);
    await way.cut();
    const bodies: Readonly<Record<string, unknown>> = {
      "/vcon": vcon("v"),
      "/queue/{name}": { vcon_uuid: ["u"], paused: true },
      "/pipeline/{name}": definition([]),
      "/pipeline/{name}/run": vcon("v"),
      "/tokens": { name: "t", roles: ["reader"] },
      "/ingest/{queue}": vcon("v"),
      "/work/{queue}/claim": { worker: "w" },
      "/work/runs/{run_id}/fail": { message: "m" },
      "/work/runs/{run_id}/release": { reason: "r" },
      "/workers/{worker_id}": { disabled: true },
      "/vcon/external-ingress": vcon("v"),
    };
    const needNone = ["/health/live", "/version", "/metrics", "/events", "/media/{name}"];
    try {
      for (const operation of document.operations) {
        const { method, path } = operation;
        // Not a word needs the database: the processor works on what it is given.
        if (needNone.includes(path) || path.startsWith("/processIO/")) continue;
        const body = path.startsWith("/process") ? exampleOptions(path) : (bodies[path] ?? {});
        const queries: Readonly<Record<string, string>> = {
          get_vcon_jq: "?jq_transform=.",
          get_vcon_jsonpath: "?path_string=$",
          post_external_ingress: "?ingress_list=q",
        };
        const query = queries[operation.id] ?? "";
        const answer = await server.call(method, `${path.replace(/\{\w+\}/g, "1")}${query}`, {
          ...(method === "GET" ? {} : { body }),
        });
        expect([operation.key, answer.status, answer.text]).toEqual([operation.key, 503, expect.any(String)]);
        expect(document.differences(operation, answer)).toEqual([]);
        expect([operation.key, answer.headers.get("retry-after")]).toEqual([operation.key, "1"]);
        expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|postgres/);
      }
      // A worker of Sisyphus ends when it polls and gets anything else, or when the queue has no switch.
      const poll = await server.call("GET", "/sisyphus/queue/poll");
      expect([poll.status, poll.text]).toEqual([404, "null\n"]);
      const queue = await server.call("GET", "/sisyphus/queue");
      expect([queue.status, queue.json]).toMatchObject([503, { attributes: { disabled: true } }]);
      const tasks = await server.call("GET", "/porch/tasks");
      expect([tasks.status, Object.keys(Object(tasks.json))]).toEqual([503, ["detail"]]);
      expect((await server.call("GET", "/health/live")).status).toBe(200);
      expect((await server.call("GET", "/metrics")).status).toBe(200);
    } finally {
      await way.restore();
    }
    await eventually(async () => (await server.call("GET", "/health/ready")).status === 200);
    expect((await server.call("GET", "/vcon/u")).json).toEqual(vcon("u"));
    expect((await server.call("POST", "/vcon", { body: vcon("v") })).status).toBe(204);
  });
});

/** Options that the processor at the end of a path takes. */
function exampleOptions(path: string): object {
  return builtin.find(({ name }) => path.endsWith(`/${name}`))?.example?.options ?? {};
}
