import { afterAll, describe, expect, it } from "vitest";
import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { at } from "../../http/call.ts";
import { OpenApiDocument, objectsIn } from "../../http/openapi-document.ts";
import { Walk, type WalkCall } from "../../http/openapi-walk.ts";
import { startPorch } from "./porch.ts";

const { api, adminToken } = await startPorch();
afterAll(() => api.stop());
const document = new OpenApiDocument((await api.call("GET", "/porch/api/v1/openapi.json")).json);
const walk = new Walk(
  { call: (method, path, options) => api.call(method, `/porch${path}`, options) },
  document,
);
const as = (token: string, more: WalkCall = {}): WalkCall => ({
  ...more,
  headers: { authorization: `Bearer ${token}` },
});

describe("the document is true", () => {
  it("of every reference in it", () => {
    const known = Object.keys(Object(at(document.json, "components", "schemas")));
    const references = [...objectsIn(document.json)].flatMap((object) => at(object, "$ref") ?? []);
    expect(new Set(references)).toEqual(
      new Set(references.filter((ref) => known.includes(String(ref).replace("#/components/schemas/", "")))),
    );
  });

  it("of every route of the face, and of no other", () => {
    const documented = document.operations.map(({ method, path }) => `${method} ${path.replace(/\/$/, "")}`);
    const routes = routesIn(api.app.printRoutes({ commonPrefix: false }))
      .filter((route) => route.includes(" /porch/"))
      .map((route) => route.replace("/porch", "").replace(/\/$/, ""));
    // What the face is, and the document itself.
    const others = new Set(["GET ", "GET /api/v1/openapi.json"]);
    expect(documented.toSorted()).toEqual([...new Set(routes)].filter((one) => !others.has(one)).toSorted());
  });

  it("of what is answered", async () => {
    const pipeline = { name: "walked", uri: "u", version: "1" };
    const add = "POST /pipelines/";
    await walk.call(add, 201, as(adminToken, { body: pipeline }));
    await walk.call(add, 409, as(adminToken, { body: pipeline }));
    await walk.call(add, 400, as(adminToken, { body: {} }));
    await walk.call(add, 422, as(adminToken, { body: { more: 1 } }));
    await walk.call(add, 403, { body: pipeline });
    await walk.call("GET /pipelines/", 200);
    await walk.call("GET /pipelines/", 422, { query: "uri=%00" });
    await walk.call("GET /pipelines/{name}", 200, { path: ["walked"] });
    await walk.call("GET /pipelines/{name}", 404, { path: ["none"] });
    await walk.call("GET /pipelines/{name}", 422, { path: ["\0"] });

    const mint = "POST /pipelines/{name}/token/{description}";
    const made = await walk.call(mint, 201, as(adminToken, { path: ["walked", "worker"] }));
    const own = String(at(made.json, "token"));
    await walk.call(mint, 404, as(adminToken, { path: ["none", "worker"] }));
    await walk.call(mint, 422, as(adminToken, { path: ["walked", "\0"] }));
    await walk.call(mint, 403, as(own, { path: ["walked", "mine"] }));
    const listed = await walk.call("GET /tokens", 200, as(adminToken, { query: "limit=10" }));
    await walk.call("GET /tokens", 422, as(adminToken, { query: "limit=0" }));
    await walk.call("GET /tokens", 403);

    const input = { run: 1 };
    const body = { pipeline, task_input: input, status: "PENDING" };
    await walk.call("POST /tasks/", 201, as(own, { body }));
    await walk.call("POST /tasks/", 200, as(own, { body }));
    await walk.call("POST /tasks/", 201, as(own, { body: { ...body, task_input: {} } }));
    await walk.call("POST /tasks/", 403, { body });
    await walk.call("POST /tasks/", 422, as(own, { body: { pipeline } }));
    const large = { ...body, task_input: { text: "x".repeat(2 ** 20) } };
    await walk.call("POST /tasks/", 413, as(own, { body: large }));
    await walk.call("GET /tasks/", 200);
    await walk.call("GET /tasks/", 200, { query: "pipeline_name=walked&status=PENDING&limit=1" });
    await walk.call("GET /tasks/", 422, { query: "status=pending" });
    const claim = "POST /tasks/claim";
    const claimed = await walk.call(claim, 200, as(own, { body: pipeline, query: "lease=600" }));
    await walk.call(claim, 200, as(own, { body: pipeline }));
    await walk.call(claim, 422, as(own, { body: pipeline, query: "num_tasks=10001" }));
    await walk.call(claim, 403, { body: pipeline });

    const path = ["walked", inputIdOf(JSON.stringify(input))];
    const unknown = ["walked", inputIdOf('{"un":"known"}')];
    const report = "POST /pipelines/{name}/tasks/{task_input_id}/report";
    await walk.call(report, 200, as(own, { path, body: { progress: 10, message: "m", lease: 600 } }));
    await walk.call(report, 409, as(own, { path, body: { claim: 999_999 } }));
    await walk.call(report, 404, as(own, { path: unknown, body: {} }));
    await walk.call(report, 422, as(own, { path, body: { progress: 101 } }));
    await walk.call(report, 403, { path, body: {} });
    for (const look of [
      "GET /pipelines/{name}/tasks/{task_input_id}",
      "GET /pipelines/{name}/tasks/{task_input_id}/events",
    ]) {
      await walk.call(look, 200, { path });
      await walk.call(look, 404, { path: unknown });
      await walk.call(look, 422, { path: ["walked", "x"] });
    }
    const done = { ...body, status: "DONE", claim: at(claimed.json, 0, "claim") };
    await walk.call("PUT /tasks/", 200, as(own, { body: done }));
    await walk.call("PUT /tasks/", 409, as(own, { body: { ...done, claim: 999_999 } }));
    await walk.call("PUT /tasks/", 404, as(own, { body: { ...done, task_input: { un: "known" } } }));
    await walk.call("PUT /tasks/", 413, as(own, { body: { ...large, status: "DONE" } }));
    await walk.call("PUT /tasks/", 422, as(own, { body: { ...done, message: 1 } }));
    await walk.call("PUT /tasks/", 403, { body: done });

    const view = "GET /ui/tasks/{pipeline_name}/{state}/{since}";
    await walk.call(view, 200, { path: ["All", "NOT DONE", "0001-01-01"], query: "draw=1&start=0&length=5" });
    await walk.call(view, 422, { path: ["All", "All", "2026-02-30"] });
    for (const one of ["GET /ui/long_running", "GET /ui/recently_failed"]) {
      await walk.call(one, 200);
      await walk.call(one, 422, { query: "length=10001" });
    }
    const revoke = "DELETE /tokens/{token_id}";
    const id = Object(listed.json).find((token: unknown) => at(token, "name") === "walked")?.id;
    await walk.call(revoke, 200, as(adminToken, { path: [id] }));
    await walk.call(revoke, 404, as(adminToken, { path: [999_999] }));
    await walk.call(revoke, 422, as(adminToken, { path: ["x"] }));
    await walk.call(revoke, 403, { path: [id] });
    expect(walk.left()).toEqual({ success: [], error: [] });
  });
});

/** `GET /path/{name}` of each route, out of the tree in which Fastify shows them: four columns a level. */
function routesIn(tree: string): readonly string[] {
  const parts: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, lead = "", part = "", methods = ""] = /^(.*?[├└]── )(.*) \((.+)\)$/.exec(line) ?? [];
    if (part === "") return [];
    parts.splice(lead.length / 4 - 1, parts.length, part);
    const path = parts.join("").replace(/:(\w+)/g, "{$1}");
    return methods.split(", ").map((method) => `${method} ${path}`);
  });
}
