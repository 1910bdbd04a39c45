import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everything } from "../../src/access/principal.ts";
import { startApi, type TestApi } from "./start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ env: { MAX_BODY_BYTES: "2MiB", CORS_ORIGINS: "http://console.example" } });
});
afterAll(() => api.stop());

function vcon(uuid: string, more: object = {}) {
  return { vcon: "0.3.0", uuid, created_at: "2026-01-01T00:00:00Z", parties: [{ tel: "+1" }], ...more };
}

function finding(type: string, loc: readonly (string | number)[]) {
  return { detail: [expect.objectContaining({ type, loc })], code: "invalid_request" };
}

/** A run under way of a job in a queue of its own. */
async function startRun({ call, stores }: TestApi, queue: string): Promise<number> {
  await call("PUT", `/pipeline/${queue}`, { body: { pipeline_options: {}, processors: [] } });
  await call("POST", `/queue/${queue}`);
  await call("PUT", `/queue/${queue}`, { body: { vcon_uuid: ["any"] } });
  const { jobs } = await stores.jobs.claim({
    cycle: [{ queue, count: 1 }],
    limit: 1,
    kind: "pipeline",
    worker: "w",
    server: "s",
    leaseMs: 60_000,
  });
  const [job] = jobs;
  if (job === undefined) throw new Error("the job was not claimed");
  return job.runId;
}

describe("vCons", () => {
  it("come back as they were given, to the letter", async () => {
    const text = '{ "uuid":"exact", "vcon":"0.3.0",\n "parties":[], "n":1.10, "__proto__":{"x":1} }';
    const stored = await api.call("POST", "/vcon", { body: text });
    expect([stored.status, stored.text]).toEqual([204, ""]);
    expect(stored.headers.get("etag")).toBe('"1"');
    expect(stored.headers.get("location")).toBe("/vcon/exact");
    const read = await api.call("GET", "/vcon/exact");
    expect(read.text).toBe(text);
    expect(read.headers.get("content-type")).toBe("application/json");
    expect(read.headers.get("etag")).toBe('"1"');
  });

  it("obey conditions", async () => {
    await api.call("POST", "/vcon", { body: vcon("conditions") });
    const write = (headers: Record<string, string>) =>
      api.call("POST", "/vcon", { body: vcon("conditions"), headers });
    expect((await write({ "if-none-match": "*" })).status).toBe(412);
    expect((await write({ "if-match": '"9"' })).json).toMatchObject({ code: "revision_mismatch" });
    expect((await write({ "if-match": '"1"' })).headers.get("etag")).toBe('"2"');
    const known = await api.call("GET", "/vcon/conditions", { headers: { "if-none-match": '"2"' } });
    expect([known.status, known.text]).toEqual([304, ""]);
    expect((await api.call("DELETE", "/vcon/conditions", { headers: { "if-match": '"1"' } })).status).toBe(
      412,
    );
    expect((await api.call("DELETE", "/vcon/conditions")).status).toBe(204);
    expect((await api.call("DELETE", "/vcon/conditions")).status).toBe(204);
  });

  it("are listed page by page", async () => {
    for (const uuid of ["list-1", "list-2", "list-3"]) {
      await api.call("POST", "/vcon", { body: vcon(uuid, { subject: "paging" }) });
    }
    const first = await api.call("GET", "/vcons?subject=paging&limit=2");
    expect(first.json).toMatchObject({ vcons: [{ form: "unsigned" }, {}], next: expect.any(String) });
    const next = String(first.json instanceof Object && "next" in first.json ? first.json.next : "");
    const second = await api.call("GET", `/vcons?subject=paging&limit=2&cursor=${next}`);
    expect(second.json).toMatchObject({ vcons: [{ subject: "paging" }], next: null });
    expect((await api.call("GET", "/vcons?cursor=nonsense")).status).toBe(422);
  });

  it("answer jq and JSONPath queries", async () => {
    await api.call("POST", "/vcon", { body: vcon("asked", { analysis: [{ body: "x".repeat(100_000) }] }) });
    const ask = (query: string) => api.call("GET", `/vcon/asked/${query}`);
    expect((await ask("jq?jq_transform=.parties[].tel")).json).toEqual(["+1"]);
    expect((await ask("jq?jq_transform=.[")).json).toMatchObject({ code: "invalid_query" });
    expect((await ask("jsonpath?path_string=$.parties")).json).toEqual([[{ tel: "+1" }]]);
    expect((await ask("jsonpath?path_string=$.none")).json).toEqual([]);
    expect((await ask("jsonpath?path_string=parties[0].tel")).json).toBe("+1");
    // Selects the document thousands of times over.
    const greedy = await ask(`jsonpath?path_string=$[${"*,".repeat(4000)}*]`);
    expect(greedy.json).toMatchObject({
      code: "invalid_query",
      detail: expect.stringMatching(/longer|much/),
    });
    expect((await api.call("GET", "/vcon/none/jq?jq_transform=.")).status).toBe(404);
  });
});

describe("bodies", () => {
  it("are JSON, named so or not named at all", async () => {
    for (const type of ["application/json", "application/json; charset=utf-8", "application/vcon+json"]) {
      const stored = await api.call("POST", "/vcon", {
        body: vcon("types"),
        headers: { "content-type": type },
      });
      expect([type, stored.status]).toEqual([type, 204]);
    }
    for (const type of ["text/plain", ";;;"]) {
      const refused = await api.call("POST", "/vcon", {
        body: vcon("types"),
        headers: { "content-type": type },
      });
      expect(refused.status).toBe(422);
      expect(refused.json).toMatchObject(finding("json_type", ["body"]));
    }
    const bom = await api.call("POST", "/vcon", { body: `\ufeff${JSON.stringify(vcon("bom"))}` });
    expect(bom.status).toBe(204);
  });

  it("that cannot be used are refused with the reason", async () => {
    const post = async (body: string) => (await api.call("POST", "/vcon", { body })).json;
    expect(await post('{"a":')).toMatchObject(finding("json_invalid", ["body", 5]));
    expect(await post("")).toMatchObject(finding("missing", ["body"]));
    expect(await post("[".repeat(65) + "]".repeat(65))).toMatchObject({ code: "invalid_request" });
    expect(await post(JSON.stringify({ ...vcon(""), uuid: "" }))).toMatchObject({
      detail: "vCon UUID: not set",
    });
    expect(await post(" ".repeat(2 * 1024 * 1024 + 1))).toMatchObject({
      code: "too_large",
      detail: expect.stringContaining("2097152"),
    });
    const put = async (body: unknown) => (await api.call("PUT", "/queue/any", { body })).json;
    expect(await put("[".repeat(65) + "]".repeat(65))).toMatchObject(finding("json_depth", ["body"]));
    expect(await put([])).toMatchObject(finding("dict_type", ["body"]));
  });

  it("of routes that take none are not looked at", async () => {
    const made = await api.call("POST", "/queue/bodyless", {
      body: "junk",
      headers: { "content-type": "text/plain" },
    });
    expect(made.status).toBe(204);
  });
});

describe("paths", () => {
  it("that are unknown, or known for other methods, are told apart, also with CORS", async () => {
    const unknown = await api.call("GET", "/nope");
    expect([unknown.status, unknown.json]).toEqual([404, { detail: "Not Found", code: "not_found" }]);
    const wrong = await api.call("PUT", "/vcon");
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
    expect(wrong.json).toEqual({ detail: "Method Not Allowed", code: "method_not_allowed" });
    const origin = { origin: "http://console.example" };
    const allowed = await api.call("GET", "/queues", { headers: origin });
    const redirected = await api.call("GET", "/queues/", { headers: origin });
    expect(redirected.headers.get("access-control-allow-origin")).toBe(origin.origin);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin.origin);
    expect(allowed.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("lose a slash at the end, for every method and with their query", async () => {
    const target = async (method: string, path: string) => {
      const answer = await api.call(method, path);
      return [answer.status, answer.headers.get("location")];
    };
    expect(await target("GET", "/in_progress/")).toEqual([307, "/in_progress"]);
    expect(await target("GET", "/vcons/?limit=1&tel=%2F")).toEqual([307, "/vcons?limit=1&tel=%2F"]);
    expect(await target("POST", "/vcon/")).toEqual([307, "/vcon"]);
    expect(await target("GET", "/vcon/")).toEqual([307, "/vcon"]);
    expect(await target("GET", "//evil.example/")).toEqual([404, null]);
    expect(await target("PUT", "/queue/")).toEqual([404, null]);
  });

  it("hold names and numbers within limits", async () => {
    const refused = [
      "/queue/a%2Fb",
      `/queue/${"x".repeat(201)}`,
      "/vcon/%00",
      "/runs/abc",
      "/runs/0x10",
      "/runs/1e3",
    ];
    for (const path of refused) expect([path, (await api.call("GET", path)).status]).toEqual([path, 422]);
    const broken = await api.call("GET", "/vcon/%zz");
    expect([broken.status, broken.headers.get("content-type")]).toEqual([400, "application/json"]);
    expect((await api.call("GET", "/queue/%F0%9F%98%80")).json).toMatchObject({
      detail: "queue: 😀 not found",
    });
  });
});

describe("queues", () => {
  it("take jobs and show them", async () => {
    expect((await api.call("POST", "/queue/calls")).status).toBe(204);
    expect((await api.call("POST", "/queue/calls")).json).toMatchObject({
      detail: "queue: calls already exists",
    });
    const queued = await api.call("PUT", "/queue/calls", {
      body: { job_type: "vcon_uuid", vcon_uuid: ["a"] },
    });
    expect([queued.status, queued.json]).toEqual([200, 1]);
    const id = Number(queued.headers.get("vconductor-job-id"));
    expect((await api.call("GET", "/queue/calls")).json).toEqual([
      { job_type: "vcon_uuid", vcon_uuid: ["a"], id },
    ]);
    expect((await api.call("DELETE", `/queue/calls/job/${id}`)).status).toBe(204);
    expect((await api.call("DELETE", "/queue/calls")).json).toEqual([]);
    expect((await api.call("GET", "/queue/calls")).json).toMatchObject({ detail: "queue: calls not found" });
  });

  it("refuse jobs that cannot run", async () => {
    await api.call("POST", "/queue/strict");
    const put = async (body: object) => (await api.call("PUT", "/queue/strict", { body })).json;
    expect(await put({ job_type: "foo", my_stuff: [] })).toMatchObject({ code: "invalid_job" });
    expect(await put({})).toMatchObject({ detail: "vcon_uuids array must contain at least one UUID" });
    expect(await put({ vcon_uuid: "a" })).toMatchObject(finding("list_type", ["body", "vcon_uuid"]));
    expect(await put({ vcon_uuid: ["\ud800"] })).toMatchObject(finding("pattern", ["body", "vcon_uuid", 0]));
    expect(await put({ vcon_uuid: ["a"], priority: null })).toMatchObject(
      finding("int_type", ["body", "priority"]),
    );
    expect(await put({ vcon_uuid: ["a", "b"], priority: "7" })).toBe(1);
    const none = await api.call("PUT", "/queue/none", { body: { vcon_uuid: ["a"] } });
    expect([none.status, none.json]).toMatchObject([404, { exception_class: "QueueDoesNotExist" }]);
  });

  it("are not resumed, nor left untended, by a null", async () => {
    await api.call("POST", "/queue/paused");
    expect((await api.call("PATCH", "/queue/paused", { body: { paused: true } })).status).toBe(204);
    expect((await api.call("PATCH", "/queue/paused", { body: { paused: null } })).status).toBe(422);
    expect(await api.stores.jobs.getQueue("paused", everything)).toMatchObject({ paused: true });
    expect((await api.call("POST", "/server/queue/paused", { body: { weight: "7" } })).status).toBe(204);
    expect((await api.call("POST", "/server/queue/paused", { body: { weight: null } })).status).toBe(422);
    expect((await api.call("GET", "/server/queues")).json).toMatchObject({ paused: { weight: 7 } });
  });
});

describe("pipelines and processors", () => {
  const definition = (options: object, processors: readonly object[] = []) => ({
    pipeline_options: options,
    processors,
  });
  const tag = { processor_name: "tag", processor_options: { tags: ["t"] } };

  it("are stored with their defaults and without what has no place", async () => {
    const body = definition({ label: null, save_vcons: "yes", foo: 1 }, [{ ...tag, comment: "dropped" }]);
    expect((await api.call("PUT", "/pipeline/tagging", { body })).status).toBe(204);
    const { json } = await api.call("GET", "/pipeline/tagging");
    expect(json).toMatchObject({ pipeline_options: { label: "", save_vcons: true, failure_queue: "" } });
    expect(json).toHaveProperty("processors", [
      {
        processor_name: "tag",
        processor_options: {
          tags: ["t"],
          label: "",
          notes: "",
          input_vcon_index: 0,
          should_process: true,
          format_options: {},
        },
      },
    ]);
  });

  it("are checked", async () => {
    const put = (body: object, query = "") => api.call("PUT", `/pipeline/checked${query}`, { body });
    const timeout = finding("float_parsing", ["body", "pipeline_options", "timeout"]);
    expect((await put(definition({ timeout: "ddd" }))).json).toMatchObject(timeout);
    for (const label of ["\u0000", "\ud800"]) {
      const found = finding("string_unicode", ["body", "pipeline_options", "label"]);
      expect((await put(definition({ label }))).json).toMatchObject(found);
    }
    const unknown = definition({}, [{ processor_name: "nope", processor_options: {} }]);
    expect((await put(unknown)).json).toMatchObject({ detail: "processor: nope not registered" });
    const wrong = definition({}, [tag, { processor_name: "tag", processor_options: { tags: 5 } }]);
    expect((await put(wrong)).json).toMatchObject({
      detail: [{ loc: ["body", "processors", 1, "processor_options", "tags"] }],
      code: "invalid_options",
    });
    expect((await put(wrong, "?validate_processor_options=False")).status).toBe(204);
    const many = definition(
      {},
      Array.from({ length: 1001 }, () => tag),
    );
    expect((await put(many)).json).toMatchObject(finding("too_long", ["body", "processors"]));
  });

  it("run", async () => {
    await api.call("POST", "/vcon", { body: vcon("run-me") });
    await api.call("PUT", "/pipeline/runs", { body: definition({}, [tag]) });
    const stored = await api.call("POST", "/pipeline/runs/run/run-me?save_vcons=1");
    expect(stored.json).toMatchObject({
      vcons: [{ uuid: "run-me" }],
      vcons_modified: [true],
      queue_jobs: [],
    });
    expect((await api.call("GET", "/vcon/run-me")).headers.get("etag")).toBe('"2"');
    const silent = await api.call("POST", "/pipeline/runs/run?return_results=false", { body: vcon("new") });
    expect([silent.status, silent.text]).toEqual([200, "null"]);
    const missing = await api.call("POST", "/pipeline/runs/run/none");
    expect([missing.status, missing.json]).toMatchObject([404, { exception_class: "VconNotFound" }]);
    const skipped = await api.call("POST", "/process/run-me/tag?return_whole_vcon=false", {
      body: { tags: ["u"], should_process: false },
    });
    expect(skipped.json).toMatchObject({ vcons: [{ uuid: "run-me" }], vcons_modified: [false] });
    const given = await api.call("POST", "/processIO/tag", {
      body: { processor_io: { vcons: [vcon("given")] }, processor_options: { tags: ["u"] } },
    });
    expect(given.json).toMatchObject({ vcons: [{ uuid: "given" }], vcons_modified: [true] });
    const unstorable = await api.call("POST", "/process/run-me/queue_job", {
      body: { queue_name: "\u0000" },
    });
    expect(unstorable.status).toBe(422);
  });
});

describe("runs", () => {
  it("can be waited for", async () => {
    const run = await startRun(api, "waited");
    const early = await api.call("GET", `/runs/${run}/wait?timeout=0`);
    expect(early.json).toMatchObject({ id: run, finished_at: null });
    const arrived = once(api.app.server, "request");
    const waiting = api.call("GET", `/runs/${run}/wait?timeout=300`);
    await arrived;
    expect((await api.call("GET", "/in_progress")).json).toMatchObject({
      [run]: { id: String(run), queue: "waited" },
    });
    expect((await api.call("DELETE", `/in_progress/${run}`)).status).toBe(204);
    expect((await waiting).json).toMatchObject({
      id: run,
      outcome: "cancelled",
      finished_at: expect.any(String),
    });
    expect((await api.call("GET", "/runs?queue=waited")).json).toMatchObject({
      runs: [{ id: run }],
      next: null,
    });
  });
});

describe("Idempotency-Key", () => {
  const job = { vcon_uuid: ["a"] };
  const put = (key: string, body: object = job, path = "/queue/once") =>
    api.call("PUT", path, { body, headers: { "idempotency-key": key } });
  beforeAll(() => api.call("POST", "/queue/once"));

  it("makes a repeat do nothing and answer the same", async () => {
    const first = await put("k1");
    const second = await put("k1");
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    expect(second.headers.get("vconductor-job-id")).toBe(first.headers.get("vconductor-job-id"));
    expect([first, second].map((answer) => answer.headers.get("idempotency-replayed"))).toEqual([
      null,
      "true",
    ]);
    expect((await api.call("GET", "/queue/once")).json).toHaveLength(1);
    expect((await put("k1", { vcon_uuid: ["b"] })).json).toMatchObject({ code: "idempotency_key_reused" });
    const missing = await put("k2", job, "/queue/nowhere");
    expect((await put("k2", job, "/queue/nowhere")).text).toBe(missing.text);
  });

  it("is not used up by a redirect", async () => {
    expect((await put("k3", job, "/queue/once/")).status).toBe(307);
    const followed = await put("k3");
    expect([followed.status, followed.headers.get("idempotency-replayed")]).toEqual([200, null]);
  });

  it("holds off a second request while the first is under way, for a minute at most", async () => {
    await put("k4");
    const { db } = api.stores.queueDatabase;
    const row = db.updateTable("vconductor.idempotent_request").where("key", "=", "k4");
    await row.set({ status: null }).execute();
    const held = await put("k4");
    expect([held.status, held.headers.get("retry-after")]).toEqual([409, "1"]);
    await row.set({ created_at: new Date(Date.now() - 61_000) }).execute();
    const taken = await put("k4");
    expect([taken.status, taken.headers.get("idempotency-replayed")]).toEqual([200, null]);
  });
});

describe("openapi.json", () => {
  const walk = (value: unknown, visit: (object: Record<string, unknown>) => void): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Array.isArray(value)) visit(Object.fromEntries(Object.entries(value)));
    for (const entry of Object.values(value)) walk(entry, visit);
  };

  it("refers only to what it has, and asks for nothing that has a default", async () => {
    const { json } = await api.call("GET", "/openapi.json");
    expect(json).toMatchObject({ openapi: "3.1.0", info: { title: "vConductor" } });
    const references = new Set<string>();
    walk(json, (object) => {
      if (typeof object.$ref === "string") references.add(object.$ref);
      if ("in" in object)
        expect(object.required === true && JSON.stringify(object.schema).includes('"default"')).toBe(false);
    });
    for (const reference of references) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1];
      expect(json, reference).toHaveProperty(["components", "schemas", name ?? reference]);
    }
    for (const name of [
      "PipelineOptions",
      "PipelineDefinition",
      "TagOptions",
      "TagIO",
      "Run",
      "ServerState",
    ]) {
      expect(json).toHaveProperty(["components", "schemas", name]);
    }
    expect(json).toHaveProperty(["paths", "/process/{vcon_uuid}/tag", "post", "requestBody", "content"], {
      "application/json": { schema: { $ref: "#/components/schemas/TagOptions" } },
    });
    expect(json).toHaveProperty(["paths", "/vcon", "post", "responses", "204", "headers", "ETag"]);
    expect(json).toHaveProperty([
      "paths",
      "/events",
      "get",
      "responses",
      "200",
      "content",
      "text/event-stream",
    ]);
    expect(json).toHaveProperty([
      "paths",
      "/events",
      "get",
      "responses",
      "422",
      "content",
      "application/json",
    ]);
  });
});

describe("operations", () => {
  it("tell how the server is", async () => {
    for (const path of ["/health", "/health/live", "/health/ready", "/version", "/docs"]) {
      expect([path, (await api.call("GET", path)).status]).toEqual([path, 200]);
    }
    const metrics = await api.call("GET", "/metrics");
    expect(metrics.text).toContain(
      'vconductor_http_request_duration_seconds_count{method="GET",route="/health/live"',
    );
  });

  it("stay when the APIs are switched off", async () => {
    const bare = await startApi({ env: { LAUNCH_VCON_API: "false", LAUNCH_ADMIN_API: "false" } });
    try {
      for (const path of ["/vcons", "/queues", "/runs", "/events"]) {
        expect([path, (await bare.call("GET", path)).status]).toEqual([path, 404]);
      }
      for (const path of ["/health", "/version", "/openapi.json"]) {
        expect([path, (await bare.call("GET", path)).status]).toEqual([path, 200]);
      }
    } finally {
      await bare.stop();
    }
  });
});

describe("stopping", () => {
  it("lets those go who wait, and does not wait for connections that are kept", async () => {
    const stopped = await startApi();
    const run = await startRun(stopped, "q");
    const events = await fetch(`${stopped.url}/events`);
    const arrived = once(stopped.app.server, "request");
    const waiting = stopped.call("GET", `/runs/${run}/wait?timeout=300`);
    await arrived;
    const end = stopped.stop();
    expect((await waiting).json).toMatchObject({ id: run, finished_at: null });
    expect(await events.text()).toContain(": follow");
    await end;
  });
});
