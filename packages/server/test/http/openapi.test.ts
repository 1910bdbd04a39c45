import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtin } from "../../src/processors/builtin/index.ts";
import { mediaDirectory, mediaUrl } from "../media/directory.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { definition, encryptedVcon, signedVcon, vcon } from "./documents.ts";
import { OpenApiDocument, objectsIn } from "./openapi-document.ts";
import { Walk } from "./openapi-walk.ts";
import { startApi } from "./start-api.ts";

const media = await mediaDirectory();
let server: TestServer;
let document: OpenApiDocument;
beforeAll(async () => {
  server = await startTestServer({ PLUGIN_PATHS: testPlugins, MAX_BODY_BYTES: "64KiB", ...media.env });
  document = new OpenApiDocument((await server.call("GET", "/openapi.json")).json);
});
afterAll(() => server.stop());

describe("the document", () => {
  it("is OpenAPI 3.1, and names what every operation must name", () => {
    expect(document.json).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d+$/),
      info: { title: "vConductor", version: expect.any(String) },
    });
    const ids = document.operations.map(({ id }) => id);
    expect(ids.filter((id, index) => !/^\w[\w.-]*$/.test(id) || ids.indexOf(id) !== index)).toEqual([]);
    const tags = Object(at(document.json, "tags")).map((tag: unknown) => at(tag, "name"));
    for (const { key, method, path, responses } of document.operations) {
      const operation = at(document.json, "paths", path, method.toLowerCase());
      expect([key, operation]).toEqual([key, expect.objectContaining({ summary: expect.any(String) })]);
      for (const tag of Object(at(operation, "tags"))) expect(tags).toContain(tag);
      expect([key, Object.keys(responses).some((status) => status.startsWith("2"))]).toEqual([key, true]);
      for (const response of Object.values(responses)) {
        expect([key, at(response, "description")]).toEqual([key, expect.stringMatching(/./)]);
      }
    }
  });

  it("declares every parameter of every path, and no other", () => {
    for (const { key, path, parameters } of document.operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((parameter) => parameter.in === "path");
      expect([key, declared.map(({ name }) => name).toSorted()]).toEqual([key, inPath.toSorted()]);
      for (const parameter of parameters) {
        expect(["path", "query", "header"]).toContain(parameter.in);
        if (parameter.in === "path") expect([key, parameter.required]).toEqual([key, true]);
        expect([key, parameter.schema]).toEqual([key, expect.any(Object)]);
      }
    }
  });

  it("has only references that lead somewhere, and only schemas that can be used", () => {
    for (const object of objectsIn(document.json)) {
      const reference = at(object, "$ref");
      if (typeof reference !== "string") continue;
      const path = reference.split("/").slice(1);
      expect([reference, at(document.json, ...path)]).toEqual([reference, expect.any(Object)]);
    }
    const schemas = Object.values(Object(at(document.json, "components", "schemas")));
    const bodies = document.operations.flatMap(({ body }) => (body === undefined ? [] : [body]));
    for (const schema of [...schemas, ...bodies]) document.mismatches(schema, null);
  });

  it("has what the reference's pipeline editor needs", () => {
    expect(at(document.json, "components", "schemas", "PipelineOptions", "properties")).toMatchObject({
      timeout: { default: 0 },
    });
    const posts = document.operations.filter(({ path }) => path.startsWith("/process"));
    expect(posts.length).toBeGreaterThanOrEqual(10);
    for (const { key, body, path, method } of posts) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(String(at(body, "$ref")))?.[1] ?? "";
      const schema = at(document.json, "components", "schemas", name);
      expect([key, name]).toEqual([
        key,
        expect.stringMatching(path.startsWith("/processIO") ? /IO$/ : /Options$/),
      ]);
      expect(at(document.json, "paths", path, method.toLowerCase(), "summary")).toEqual(
        expect.stringMatching(/./),
      );
      if (name.endsWith("IO")) continue;
      for (const [option, property] of Object.entries(Object(at(schema, "properties")))) {
        const typed = at(property, "type") ?? at(property, "anyOf", 0, "type");
        expect([name, option, typed]).toEqual([name, option, expect.any(String)]);
      }
    }
  });

  it("has every route that the server has", async () => {
    const api = await startApi({ env: { PLUGIN_PATHS: testPlugins } });
    try {
      const documented = new Set(document.operations.map(({ key }) => key));
      const routes = routesOf(api.app.printRoutes({ commonPrefix: false })).filter(
        (route) => !/ \/(docs|openapi\.json|sisyphus|porch|gateway)/.test(route),
      );
      expect(routes.length).toBeGreaterThan(40);
      expect(routes.filter((route) => !documented.has(route))).toEqual([]);
      expect([...documented].filter((key) => !routes.includes(key))).toEqual([]);
    } finally {
      await api.stop();
    }
  });
});

/** `GET /vcon/{vcon_uuid}` and so on, of the tree that Fastify prints. */
function routesOf(tree: string): readonly string[] {
  const parents: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods = ""] = /^([│ ]*[├└]── )(\S+)(?: \(([^)]+)\))?/.exec(line) ?? [];
    if (part === "") return [];
    const depth = indent.length / 4;
    const path = (parents[depth - 1] ?? "") + part;
    parents[depth] = path;
    const template = path.replace(/:(\w+)/g, "{$1}");
    return methods.split(", ").flatMap((method) => (method === "" ? [] : [`${method} ${template}`]));
  });
}

describe("every answer is what the document says", () => {
  let walk: Walk;
  beforeAll(() => {
    walk = new Walk(server, document);
  });
  const big = "x".repeat(65_537);

  it("of vCons", async () => {
    await walk.call("POST /vcon", 204, { body: vcon("u") });
    await walk.call("POST /vcon", 204, { body: signedVcon("signed") });
    await walk.call("POST /vcon", 204, { body: encryptedVcon("encrypted") });
    await walk.call("POST /vcon", 412, { body: vcon("u"), headers: { "if-none-match": "*" } });
    await walk.call("POST /vcon", 413, { body: big });
    for (const body of ["", "{", {}, vcon(""), vcon("u", { vcon: "9" })])
      await walk.call("POST /vcon", 422, { body });
    await walk.call("POST /vcon", 422, { body: "a", headers: { "content-type": "text/plain" } });
    const key = { "idempotency-key": "walk" };
    await walk.call("POST /vcon", 204, { body: vcon("u"), headers: key });
    await walk.call("POST /vcon", 204, { body: vcon("u"), headers: key });
    await walk.call("POST /vcon", 422, { body: vcon("v"), headers: key });
    for (const uuid of ["u", "signed", "encrypted"])
      await walk.call("GET /vcon/{vcon_uuid}", 200, { path: [uuid] });
    await walk.call("GET /vcon/{vcon_uuid}", 200, { path: ["u"], query: "version=0.0.2" });
    await walk.call("GET /vcon/{vcon_uuid}", 304, { path: ["u"], headers: { "if-none-match": "*" } });
    await walk.call("GET /vcon/{vcon_uuid}", 404, { path: ["none"] });
    await walk.call("GET /vcon/{vcon_uuid}", 422, { path: ["u"], query: "version=9" });
    await walk.call("GET /vcon/{vcon_uuid}", 422, { path: ["\u0000"] });
    await walk.call("GET /vcon/{vcon_uuid}", 400, { path: ["x".repeat(5000)] });
    const query = "jq_transform=.parties";
    await walk.call("GET /vcon/{vcon_uuid}/jq", 200, { path: ["u"], query });
    await walk.call("GET /vcon/{vcon_uuid}/jq", 404, { path: ["none"], query });
    await walk.call("GET /vcon/{vcon_uuid}/jq", 422, { path: ["u"], query: "jq_transform=.[" });
    await walk.call("GET /vcon/{vcon_uuid}/jq", 422, { path: ["u"] });
    await walk.call("GET /vcon/{vcon_uuid}/jq", 422, { path: ["signed"], query });
    await walk.call("GET /vcon/{vcon_uuid}/jsonpath", 200, { path: ["u"], query: "path_string=$.parties" });
    await walk.call("GET /vcon/{vcon_uuid}/jsonpath", 200, { path: ["u"], query: "path_string=uuid" });
    await walk.call("GET /vcon/{vcon_uuid}/jsonpath", 404, { path: ["none"], query: "path_string=$" });
    await walk.call("GET /vcon/{vcon_uuid}/jsonpath", 422, { path: ["u"], query: "path_string=$[" });
    const page = await walk.call("GET /vcons", 200, { query: "limit=1" });
    await walk.call("GET /vcons", 200, { query: `limit=1&cursor=${at(page.json, "next")}` });
    await walk.call("GET /vcons", 422, { query: "limit=0" });
    await walk.call("DELETE /vcon/{vcon_uuid}", 412, { path: ["u"], headers: { "if-match": '"99"' } });
    await walk.call("DELETE /vcon/{vcon_uuid}", 204, { path: ["signed"] });
    await walk.call("DELETE /vcon/{vcon_uuid}", 422, { path: ["\u0001"] });
  });

  it("of queues and servers", async () => {
    await walk.call("POST /queue/{name}", 204, { path: ["q"] });
    await walk.call("POST /queue/{name}", 422, { path: ["q"] });
    await walk.call("GET /queues", 200);
    await walk.call("PUT /queue/{name}", 200, {
      path: ["q"],
      body: { vcon_uuid: ["u"], priority: 3, delay: 900 },
    });
    const queued = await walk.call("PUT /queue/{name}", 200, { path: ["q"], body: { vcon_uuid: ["u"] } });
    await walk.call("PUT /queue/{name}", 404, { path: ["none"], body: { vcon_uuid: ["u"] } });
    await walk.call("PUT /queue/{name}", 422, { path: ["q"], body: { vcon_uuid: [] } });
    await walk.call("PUT /queue/{name}", 422, { path: ["q"], body: { vcon_uuid: "u" } });
    await walk.call("PUT /queue/{name}", 413, { path: ["q"], body: big });
    await walk.call("GET /queue/{name}", 200, { path: ["q"] });
    await walk.call("GET /queue/{name}", 404, { path: ["none"] });
    await walk.call("GET /queue/{name}", 422, { path: ["q"], query: "limit=x" });
    const job = queued.headers.get("vconductor-job-id") ?? "";
    await walk.call("DELETE /queue/{name}/job/{job_id}", 204, { path: ["q", job] });
    await walk.call("DELETE /queue/{name}/job/{job_id}", 404, { path: ["q", job] });
    await walk.call("DELETE /queue/{name}/job/{job_id}", 422, { path: ["q", "x"] });
    await walk.call("PATCH /queue/{name}", 204, { path: ["q"], body: { paused: true } });
    await walk.call("PATCH /queue/{name}", 404, { path: ["none"], body: { paused: true } });
    await walk.call("PATCH /queue/{name}", 422, { path: ["q"], body: {} });
    await walk.call("GET /queue/{name}/failed", 200, { path: ["q"] });
    await walk.call("GET /queue/{name}/failed", 404, { path: ["none"] });
    await walk.call("GET /queue/{name}/failed", 422, { path: ["q"], query: "cursor=x" });
    await walk.call("DELETE /queue/{name}", 200, { path: ["q"] });
    await walk.call("DELETE /queue/{name}", 404, { path: ["q"] });
    await walk.call("GET /server/info", 200);
    await walk.call("GET /servers", 200);
    await walk.call("GET /server/queues", 200);
    await walk.call("POST /server/queue/{name}", 204, { path: ["work"], body: { weight: 2 } });
    await walk.call("POST /server/queue/{name}", 422, { path: ["work"], body: { weight: "x" } });
    await walk.call("GET /server/queues", 200);
    await walk.call("DELETE /server/queue/{name}", 204, { path: ["work"] });
    await walk.call("DELETE /server/queue/{name}", 404, { path: ["work"] });
    await walk.call("DELETE /servers/{server_key}", 404, { path: ["host:1:2:3"] });
  });

  it("of pipelines and processors", async () => {
    const put = (name: string, body: unknown, status = 204) =>
      walk.call("PUT /pipeline/{name}", status, { path: [name], body });
    await put("p", definition([["tag", { tags: ["t"] }]]));
    await put("slow", definition([["gate"]], { timeout: 0.02 }));
    await put("broken", definition([["broken"]]));
    await put("p", definition([["nope"]]), 422);
    await put("p", definition([["tag", { tags: 1 }]]), 422);
    await put("p", {}, 422);
    await put("p", big, 413);
    await walk.call("GET /pipelines", 200);
    await walk.call("GET /pipeline/{name}", 200, { path: ["p"] });
    await walk.call("GET /pipeline/{name}", 404, { path: ["none"] });
    for (const [name, status] of [
      ["p", 200],
      ["slow", 430],
      ["broken", 500],
      ["none", 404],
    ] as const) {
      await walk.call("POST /pipeline/{name}/run", status, { path: [name], body: vcon("given") });
      await walk.call("POST /pipeline/{name}/run/{vcon_uuid}", status, { path: [name, "u"] });
    }
    await walk.call("POST /pipeline/{name}/run", 200, {
      path: ["p"],
      body: vcon("n"),
      query: "return_results=false",
    });
    await walk.call("POST /pipeline/{name}/run", 422, { path: ["p"], body: {} });
    await walk.call("POST /pipeline/{name}/run/{vcon_uuid}", 404, { path: ["p", "none"] });
    await walk.call("DELETE /pipeline/{name}", 204, { path: ["broken"] });
    await walk.call("DELETE /pipeline/{name}", 404, { path: ["broken"] });
    await walk.call("POST /queue/{name}", 204, { path: ["target"] });
    const options: Readonly<Record<string, object>> = {
      tag: { tags: ["t"] },
      queue_job: { queue_name: "target" },
      set_parameters: { parameters: { a: [1] } },
      jq: { jq_queries: { n: ".vcons|length" } },
      vault: { key: "secret" },
    };
    for (const { key, path } of document.operations.filter(({ path }) => path.startsWith("/process"))) {
      const name = path.split("/").at(-1) ?? "";
      const stored = path.startsWith("/process/");
      const send = (vcons: readonly unknown[], processor_options: unknown) =>
        stored
          ? { path: ["u"], body: processor_options }
          : { body: { processor_io: { vcons, parameters: {} }, processor_options } };
      // Those that need a provider or a key, wait for a signal, or fail, are skipped; they are run elsewhere.
      const example = builtin.find((processor) => processor.name === name)?.example?.options;
      const known = Object.hasOwn(options, name) ? options[name] : { ...example, should_process: false };
      await walk.call(key, 200, send([vcon("io")], known));
      await walk.call(key, 200, { ...send([vcon("io")], known), query: "return_whole_vcon=false" });
      await walk.call(key, 422, send([], { should_process: "maybe" }));
      await walk.call(key, 422, send([], []));
      await walk.call(key, 413, { ...send([], {}), body: big });
      if (stored) await walk.call(key, 404, { path: ["none"], body: { ...known, should_process: false } });
      else
        await walk.call(key, 422, {
          body: { processor_io: { vcons: [1] }, processor_options: known },
        });
    }
    await walk.call("POST /processIO/broken", 500, { body: { processor_options: {} } });
  });

  it("of jobs in progress, runs and failures", async () => {
    const job = { body: { vcon_uuid: ["u"] }, path: ["held"] };
    await walk.call("PUT /pipeline/{name}", 204, { path: ["held"], body: definition([["gate"]]) });
    await walk.call("POST /queue/{name}", 204, { path: ["held"] });
    await walk.call("POST /server/queue/{name}", 204, { path: ["held"], body: {} });
    const next = async () => {
      await walk.call("PUT /queue/{name}", 200, job);
      return await eventually(async () => {
        const active = await walk.call("GET /runs", 200, { query: "queue=held&active=true" });
        return at(active.json, "runs", 0, "id");
      });
    };
    const first = String(await next());
    await walk.call("GET /in_progress", 200);
    await walk.call("GET /runs/{run_id}", 200, { path: [first] });
    await walk.call("GET /runs/{run_id}/wait", 200, { path: [first], query: "timeout=0" });
    await walk.call("DELETE /in_progress/{job_id}", 204, { path: [first] });
    await walk.call("DELETE /in_progress/{job_id}", 404, { path: [first] });
    const second = String(await next());
    await walk.call("PATCH /queue/{name}", 204, { path: ["held"], body: { paused: true } });
    await walk.call("PUT /in_progress/{job_id}", 204, { path: [second] });
    await walk.call("PUT /in_progress/{job_id}", 404, { path: [second] });
    await walk.call("PUT /in_progress/{job_id}", 422, { path: ["x"] });
    await walk.call("GET /queue/{name}", 200, { path: ["held"] });
    await walk.call("PATCH /queue/{name}", 204, { path: ["held"], body: { paused: false } });
    const third = String(
      await eventually(async () => {
        const active = await walk.call("GET /runs", 200, { query: "queue=held&active=true" });
        return at(active.json, "runs", 0, "id");
      }),
    );
    await walk.call("POST /runs/{run_id}/cancel", 202, { path: [third] });
    await walk.call("GET /runs/{run_id}/wait", 200, { path: [third] });
    await walk.call("POST /runs/{run_id}/cancel", 409, { path: [third] });
    await walk.call("POST /runs/{run_id}/cancel", 404, { path: [999_999] });
    await walk.call("GET /runs/{run_id}", 404, { path: [999_999] });
    await walk.call("GET /runs/{run_id}", 422, { path: ["x"] });
    await walk.call("GET /runs/{run_id}/wait", 422, { path: [third], query: "timeout=x" });
    await walk.call("GET /runs", 422, { query: "outcome=nonsense" });
    await walk.call("GET /usage", 200, { query: "since=2026-01-01&queue=held" });
    await walk.call("GET /usage", 422, { query: "until=soon" });

    await walk.call("PUT /pipeline/{name}", 204, { path: ["held"], body: definition([["broken"]]) });
    await walk.call("PUT /queue/{name}", 200, job);
    const failed = await eventually(async () => {
      const list = await walk.call("GET /queue/{name}/failed", 200, { path: ["held"] });
      return at(list.json, "jobs", 0, "run_id");
    });
    await walk.call("GET /runs/{run_id}", 200, { path: [String(failed)] });
    const requeue = "POST /queue/{name}/failed/{run_id}/requeue";
    await walk.call(requeue, 204, { path: ["held", String(failed)] });
    await walk.call(requeue, 404, { path: ["held", 999_999] });
    await walk.call(requeue, 422, { path: ["held", "x"] });
  });

  it("of access", async () => {
    const made = await walk.call("POST /tokens", 201, { body: { name: "walker", roles: ["reader"] } });
    await walk.call("POST /tokens", 422, { body: { name: "walker", roles: ["nobody"] } });
    await walk.call("GET /tokens", 200);
    await walk.call("GET /tokens", 422, { query: "limit=x" });
    const id = String(at(made.json, "record", "id"));
    await walk.call("GET /tokens/{token_id}", 200, { path: [id] });
    await walk.call("GET /tokens/{token_id}", 404, { path: ["none"] });
    await walk.call("DELETE /tokens/{token_id}", 204, { path: [id] });
    await walk.call("DELETE /tokens/{token_id}", 404, { path: ["none"] });
    await walk.call("POST /queue/{name}", 204, { path: ["taken"] });
    await walk.call("POST /ingest/{queue}", 204, { path: ["taken"], body: vcon("taken-in") });
    await walk.call("POST /ingest/{queue}", 409, { path: ["taken"], body: vcon("taken-in") });
    await walk.call("POST /ingest/{queue}", 404, { path: ["none"], body: vcon("taken-in-2") });
    const list = "ingress_list=taken";
    await walk.call("POST /vcon/external-ingress", 204, { query: list, body: vcon("taken-in-3") });
    await walk.call("POST /vcon/external-ingress", 422, { query: list, body: {} });
    await walk.call("GET /audit", 200, { query: "since=2026-01-01" });
    await walk.call("GET /audit", 422, { query: "until=soon" });
    await walk.call("POST /vcon", 204, { body: vcon("shared") });
    const grants = [{ grantee: "group:hr", permissions: ["read"] }];
    await walk.call("PUT /vcon/{vcon_uuid}/access", 204, { path: ["shared"], body: { grants } });
    await walk.call("PUT /vcon/{vcon_uuid}/access", 404, { path: ["none"], body: { grants } });
    await walk.call("GET /vcon/{vcon_uuid}/access", 200, { path: ["shared"] });
    await walk.call("GET /vcon/{vcon_uuid}/access", 404, { path: ["none"] });
  });

  it("of remote workers", async () => {
    const far = { path: ["far"] };
    await walk.call("POST /queue/{name}", 204, { ...far, query: "kind=remote" });
    await walk.call("PATCH /queue/{name}", 204, { ...far, body: { retry_limit: 0 } });
    for (const payload of ["done", "failed", "released"]) {
      await walk.call("PUT /queue/{name}", 200, { ...far, body: { payload } });
    }
    const claim = "POST /work/{queue}/claim";
    const claimed = await walk.call(claim, 200, { ...far, body: { worker: "w", count: 3, info: {} } });
    await walk.call(claim, 404, { path: ["none"], body: { worker: "w" } });
    await walk.call(claim, 422, { ...far, body: {} });
    const endings = [
      ["complete", { result: 1 }],
      ["fail", { message: "no" }],
      ["release", { reason: "later" }],
    ] as const;
    for (const [n, [ending, body]] of endings.entries()) {
      const run = { path: [String(at(claimed.json, "jobs", n, "run_id"))] };
      const beat = "POST /work/runs/{run_id}/heartbeat";
      await walk.call(beat, 200, { ...run, body: { progress: 10 } });
      await walk.call(beat, 422, { ...run, body: { progress: "far" } });
      const end = `POST /work/runs/{run_id}/${ending}`;
      await walk.call(end, 200, { ...run, body });
      await walk.call(end, 404, { path: [999_999], body });
      await walk.call(end, 422, {
        ...run,
        body: { ...body, result: undefined, message: 1, reason: 1, queue_jobs: 1 },
      });
      if (ending !== "fail")
        await walk.call("POST /work/runs/{run_id}/fail", 409, { ...run, body: { message: "m" } });
      await walk.call(beat, 409, { ...run, body: {} });
      await walk.call("GET /runs/{run_id}/result", 200, run);
    }
    await walk.call("GET /runs/{run_id}/result", 404, { path: [999_999] });
    await walk.call("GET /workers", 200);
    const worker = { path: ["w"] };
    await walk.call("GET /workers/{worker_id}", 200, worker);
    await walk.call("PATCH /workers/{worker_id}", 200, { ...worker, body: { disabled: true } });
    await walk.call("DELETE /workers/{worker_id}", 204, worker);
    await walk.call("GET /workers/{worker_id}", 404, worker);
    await walk.call("PATCH /workers/{worker_id}", 404, { ...worker, body: { disabled: true } });
    await walk.call("DELETE /workers/{worker_id}", 404, worker);
  });

  it("of media", async () => {
    const { url } = await media.store.put({ bytes: Buffer.from("a recording"), mediatype: "audio/x-wav" });
    await walk.call("GET /media/{name}", 200, { path: [url.slice(mediaUrl.length + 1)] });
    await walk.call("GET /media/{name}", 404, { path: ["nothing"] });
  });

  it("of events", async () => {
    const stop = new AbortController();
    const events = await server.fetch("/events", { signal: stop.signal });
    expect([events.status, events.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    walk.seen("GET /events", 200);
    stop.abort();
    await walk.call("GET /events", 422, { query: `types=${"x".repeat(501)}` });
  });

  it("of health, versions and metrics", async () => {
    for (const path of ["/health", "/health/live", "/health/ready", "/version", "/metrics"]) {
      await walk.call(`GET ${path}`, 200);
    }
  });

  it("of a server whose record is deleted", async () => {
    const [key = ""] = Object.keys(Object((await walk.call("GET /servers", 200)).json));
    await walk.call("DELETE /servers/{server_key}", 204, { path: [key] });
    await walk.call("GET /server/info", 200);
  });

  it("and no operation was left out", () => {
    const { success, error } = walk.left();
    expect(success).toEqual([]);
    // These take no input that could be wrong. What they answer without a database is in database-away.test.ts.
    expect(error.toSorted()).toEqual([
      "GET /health",
      "GET /health/live",
      "GET /health/ready",
      "GET /in_progress",
      "GET /metrics",
      "GET /pipelines",
      "GET /queues",
      "GET /server/info",
      "GET /server/queues",
      "GET /servers",
      "GET /version",
      "GET /workers",
    ]);
  });
});
