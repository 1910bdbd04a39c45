import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { definition, signedVcon, vcon } from "./documents.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", PLUGIN_PATHS: testPlugins });
});
afterAll(() => server.stop());

const put = (name: string, body: unknown, query = "") =>
  server.call("PUT", `/pipeline/${name}${query}`, { body });
const get = (name: string) => server.call("GET", `/pipeline/${name}`);
const common = { label: "", notes: "", input_vcon_index: 0, should_process: true, format_options: {} };

describe("definitions", () => {
  it("are put, read, listed and deleted with the statuses and texts of the reference", async () => {
    const made = await put("first", definition([]));
    expect([made.status, made.text]).toEqual([204, ""]);
    expect((await put("first", definition([["tag", { tags: ["a"] }]]))).status).toBe(204);
    expect((await server.call("GET", "/pipelines")).json).toContain("first");
    expect((await server.call("DELETE", "/pipeline/first")).status).toBe(204);
    expect((await server.call("GET", "/pipelines")).json).not.toContain("first");
    for (const method of ["GET", "DELETE"]) {
      const answer = await server.call(method, "/pipeline/first");
      expect([answer.status, answer.json]).toEqual([
        404,
        {
          detail: "pipeline: first not found",
          code: "pipeline_not_found",
          exception_class: "PipelineNotFound",
        },
      ]);
    }
  });

  it("read back empty options as exactly the five common ones", async () => {
    await put("defaults", definition([["set_parameters"]]));
    const { json } = await get("defaults");
    expect(at(json, "processors")).toEqual([{ processor_name: "set_parameters", processor_options: common }]);
    expect(at(json, "pipeline_options")).toMatchObject({
      label: "",
      notes: "",
      save_vcons: true,
      timeout: 0,
      failure_queue: "",
      success_queue: "",
    });
  });

  it("drop nulls and what has no place, and keep unknown options of processors", async () => {
    await put("tidy", {
      comment: "dropped",
      pipeline_options: { failure_queue: null, save_vcons: null, timeout: "2.5", comment: "dropped" },
      processors: [
        {
          processor_name: "set_parameters",
          comment: "dropped",
          processor_options: { parameters: { a: [null] }, label: null, notes: null, mine: { kept: [1] } },
        },
      ],
    });
    const { json } = await get("tidy");
    expect(json).toMatchObject({ pipeline_options: { failure_queue: "", save_vcons: true, timeout: 2.5 } });
    expect(JSON.stringify(json)).not.toContain("dropped");
    expect(at(json, "processors", 0)).toEqual({
      processor_name: "set_parameters",
      processor_options: { ...common, parameters: { a: [null] }, mine: { kept: [1] } },
    });
  });

  it("must have the shape of the reference", async () => {
    for (const [body, loc] of [
      [{ processors: [] }, ["body", "pipeline_options"]],
      [{ pipeline_options: {} }, ["body", "processors"]],
      [{ pipeline_options: {}, processors: {} }, ["body", "processors"]],
      [{ pipeline_options: { timeout: "ddd" }, processors: [] }, ["body", "pipeline_options", "timeout"]],
      [{ pipeline_options: {}, processors: [{}] }, ["body", "processors", 0, "processor_name"]],
      [
        { pipeline_options: {}, processors: [{ processor_name: "tag" }] },
        ["body", "processors", 0, "processor_options"],
      ],
      [[], ["body"]],
      ["", ["body"]],
    ] as const) {
      const answer = await put("shape", body);
      expect([body, answer.status]).toEqual([body, 422]);
      expect(at(answer.json, "detail")).toEqual(
        expect.arrayContaining(
          [{ type: expect.any(String), loc, msg: expect.any(String), input: expect.anything() }].map(
            (found) => expect.objectContaining({ loc: found.loc, type: found.type, msg: found.msg }),
          ),
        ),
      );
    }
    expect((await get("shape")).status).toBe(404);
  });

  it("are checked against their processors only when that is asked for", async () => {
    const unknown = definition([["nope"]]);
    const refused = await put("unchecked", unknown);
    expect([refused.status, refused.json]).toMatchObject([422, { detail: "processor: nope not registered" }]);
    const wrong = definition([["tag", { tags: 5 }], ["queue_job"]]);
    const findings = await put("unchecked", wrong);
    expect(findings.json).toMatchObject({
      exception_class: "ValidationError",
      detail: [
        { loc: ["body", "processors", 0, "processor_options", "tags"] },
        { loc: ["body", "processors", 1, "processor_options", "queue_name"] },
      ],
    });
    for (const body of [unknown, wrong]) {
      expect((await put("unchecked", body, "?validate_processor_options=false")).status).toBe(204);
    }
    const formatted = definition([["queue_job", { format_options: { queue_name: "{where}" } }]]);
    expect((await put("formatted", formatted)).status).toBe(204);
    const broken = definition([["queue_job", { format_options: { queue_name: "{where" } }]]);
    expect((await put("formatted", broken)).status).toBe(422);
  });

  it("show no secrets, and keep them", async () => {
    await put(
      "secret",
      definition([
        ["vault", { key: "hunter2" }],
        ["vault", { key: "secret:VAULT_KEY" }],
      ]),
    );
    const answer = await get("secret");
    expect(answer.text).not.toContain("hunter2");
    expect(answer.json).toMatchObject({
      processors: [
        { processor_options: { key: "********" } },
        { processor_options: { key: "secret:VAULT_KEY" } },
      ],
    });
    await put("one-secret", definition([["vault", { key: "hunter2" }]]));
    const run = await server.call("POST", "/pipeline/one-secret/run", { body: vcon("s") });
    expect(run.json).toMatchObject({ parameters: { length: 7 } });
    await put("loud-secret", definition([["vault", { key: "hunter2", open: false }]]));
    const failed = await server.call("POST", "/pipeline/loud-secret/run", { body: vcon("s") });
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain("hunter2");
    const invalid = await put("secret", definition([["vault", { key: ["hunter2"] }]]));
    expect([invalid.status, invalid.text.includes("hunter2")]).toEqual([422, false]);
  });
});

describe("running a pipeline in a request", () => {
  beforeAll(async () => {
    await put("tagging", definition([["tag", { tags: ["seen"] }]]));
    await put("idle", definition([["set_parameters", { parameters: { a: null, b: [1] } }]]));
    await server.call("POST", "/queue/next");
    await server.call("POST", "/vcon", { body: vcon("stored") });
  });
  const run = (path: string, body?: unknown) =>
    server.call("POST", `/pipeline/${path}`, body === undefined ? {} : { body });

  it("on a stored vCon: the four members, modified only if it was", async () => {
    const changed = await run("tagging/run/stored");
    expect(changed.status).toBe(200);
    expect(Object.keys(Object(changed.json)).toSorted()).toEqual([
      "parameters",
      "queue_jobs",
      "vcons",
      "vcons_modified",
    ]);
    expect(changed.json).toMatchObject({ vcons: [{ uuid: "stored" }], vcons_modified: [true] });
    expect((await server.call("GET", "/vcon/stored")).headers.get("etag")).toBe('"1"');
    const same = await run("idle/run/stored?save_vcons=true", { any: "body is not looked at" });
    expect(same.json).toMatchObject({ vcons_modified: [false], parameters: { a: null, b: [1] } });
    expect((await server.call("GET", "/vcon/stored")).headers.get("etag")).toBe('"1"');
    await run("tagging/run/stored?save_vcons=true");
    expect((await server.call("GET", "/vcon/stored")).text).toContain("seen");
  });

  it("on a vCon given: always new, and stored only if asked for", async () => {
    expect((await run("idle/run", vcon("given"))).json).toMatchObject({ vcons_modified: [true] });
    expect((await server.call("GET", "/vcon/given")).status).toBe(404);
    expect((await run("idle/run?save_vcons=true", vcon("given"))).status).toBe(200);
    expect((await server.call("GET", "/vcon/given")).json).toEqual(vcon("given"));
    expect((await run("idle/run", signedVcon("given-signed"))).json).toMatchObject({
      vcons: [signedVcon("given-signed")],
    });
  });

  it("answers null when no results are wanted", async () => {
    for (const answer of [
      await run("tagging/run?return_results=false", vcon("n")),
      await run("tagging/run/stored?return_results=false"),
    ]) {
      expect([answer.status, answer.text]).toEqual([200, "null"]);
    }
  });

  it("says 404 for a missing pipeline first, then for a missing vCon", async () => {
    for (const answer of [await run("none/run/none"), await run("none/run", vcon("n"))]) {
      expect([answer.status, answer.json]).toMatchObject([404, { detail: "pipeline: none not found" }]);
    }
    const missing = await run("idle/run/none?return_results=false");
    expect([missing.status, missing.json]).toMatchObject([
      404,
      { detail: "vCon UUID: none not found", exception_class: "VconNotFound" },
    ]);
  });

  it("says 430 when a processor takes too long, in both forms", async () => {
    await put("slow", definition([["gate"]], { timeout: 0.05 }));
    for (const [answer, uuid] of [
      [await run("slow/run/stored"), "stored"],
      [await run("slow/run", vcon("slow-one")), "slow-one"],
    ] as const) {
      expect([answer.status, answer.json]).toEqual([
        430,
        {
          detail: `Error: pipeline: slow uuid: ${uuid} processing time exeeded timeout`,
          code: "pipeline_timeout",
          exception_class: "PipelineTimeout",
        },
      ]);
    }
  });

  it("names the caller's mistakes with 4xx, where the reference failed", async () => {
    await put("unregistered", definition([["nope"]]), "?validate_processor_options=false");
    await put("parameterless", definition([["tag", { tags: ["x"], format_options: { label: "{x}" } }]]));
    await put(
      "uncoercible",
      definition([["tag", { tags: ["x"], format_options: { input_vcon_index: "many" } }]]),
    );
    await put(
      "nowhere",
      definition([
        ["tag", { tags: ["lost"] }],
        ["queue_job", { queue_name: "nowhere" }],
      ]),
    );
    for (const [name, status, exceptionClass] of [
      ["unregistered", 422, "VconProcessorNotRegistered"],
      ["parameterless", 422, "ParameterNotFound"],
      ["uncoercible", 422, "ValidationError"],
      ["nowhere", 404, "QueueDoesNotExist"],
    ] as const) {
      const answer = await run(`${name}/run/stored?save_vcons=true`);
      expect([name, answer.status, answer.json]).toMatchObject([
        name,
        status,
        { exception_class: exceptionClass },
      ]);
    }
    expect((await server.call("GET", "/vcon/stored")).text).not.toContain("lost");
    const parameter = await run("parameterless/run/stored");
    expect(parameter.json).toMatchObject({
      detail: "key in: {x} not found in ProcessorIO parameters: [] when formatting: label",
    });
    await server.call("POST", "/vcon", { body: signedVcon("signed") });
    const signed = await run("tagging/run/signed");
    expect([signed.status, signed.json]).toMatchObject([
      422,
      { detail: expect.stringMatching(/^Cannot modify Vcon/), exception_class: "InvalidVconState" },
    ]);
  });

  it("says 500 for a broken processor, with no word of the inside", async () => {
    await put("breaks", definition([["broken"]]));
    const answer = await run("breaks/run", vcon("b"));
    expect([answer.status, answer.json]).toEqual([
      500,
      { detail: "processor: broken failed: this one is broken", code: "processor_failed" },
    ]);
  });

  it("skips processors, also the first, and formats options from parameters", async () => {
    await put(
      "conditional",
      definition([
        ["queue_job", { queue_name: "next", should_process: false }],
        ["set_parameters", { parameters: { yes: true, no: false, where: "next" } }],
        ["queue_job", { queue_name: "x", format_options: { should_process: "{no}" } }],
        ["queue_job", { format_options: { should_process: "{yes}", queue_name: "{where}" } }],
      ]),
    );
    const answer = await run("conditional/run/stored");
    expect(answer.json).toMatchObject({
      queue_jobs: [{ job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["stored"] }],
    });
    expect((await server.call("GET", "/queue/next")).json).toMatchObject([{ vcon_uuid: ["stored"] }]);
  });

  it("refuses a body that is no vCon", async () => {
    for (const body of ["", "{", "[]", '{"uuid":"u"}']) {
      expect([body, (await run("idle/run", body)).status]).toEqual([body, 422]);
    }
  });
});
