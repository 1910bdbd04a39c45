import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { at } from "./call.ts";
import { encryptedVcon, signedVcon, vcon } from "./documents.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", PLUGIN_PATHS: testPlugins });
  await server.call("POST", "/vcon", { body: vcon("stored") });
  await server.call("POST", "/vcon", { body: signedVcon("signed") });
  await server.call("POST", "/queue/next");
});
afterAll(() => server.stop());

const process = (path: string, body: unknown) => server.call("POST", `/process/${path}`, { body });
const processIO = (path: string, body: unknown) => server.call("POST", `/processIO/${path}`, { body });
const tags = { tags: ["seen"] };
const waiting = async () => (await server.call("GET", "/queue/next")).json;

describe("POST /process/{uuid}/{processor}", () => {
  it("answers with the output, and stores it only when told to", async () => {
    const answer = await process("stored/tag", tags);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(answer.json).toEqual({
      vcons: [{ ...vcon("stored"), attachments: [expect.objectContaining({ body: ["seen"] })] }],
      vcons_modified: [true],
      parameters: {},
      queue_jobs: [],
    });
    expect((await server.call("GET", "/vcon/stored")).json).toEqual(vcon("stored"));
    await process("stored/tag?commit_changes=True", tags);
    expect((await server.call("GET", "/vcon/stored")).text).toContain("seen");
  });

  it("honours should_process, in every spelling", async () => {
    for (const no of [false, 0, "False", "F", "no", "N", "off", "0"]) {
      const answer = await process("stored/queue_job", { queue_name: "next", should_process: no });
      expect([no, answer.status, at(answer.json, "queue_jobs")]).toEqual([no, 200, []]);
    }
    expect(await waiting()).toEqual([]);
    for (const yes of [true, 1, "TRUE", "t", "yes", "y", "On", "1"]) {
      const answer = await process("stored/set_parameters", { parameters: { a: 1 }, should_process: yes });
      expect([yes, at(answer.json, "parameters")]).toEqual([yes, { a: 1 }]);
    }
    for (const bad of [4, "maybe", [], {}]) {
      const answer = await process("stored/set_parameters", { parameters: {}, should_process: bad });
      expect([bad, answer.status]).toEqual([bad, 422]);
    }
  });

  it("answers with less when the whole vCon is not wanted", async () => {
    const query = "return_whole_vcon=false";
    const same = await process(`stored/set_parameters?${query}`, { parameters: {} });
    expect(same.json).toMatchObject({ vcons_modified: [false] });
    expect(at(same.json, "vcons")).toEqual([{ uuid: "stored" }]);
    const changed = await process(`stored/tag?${query}`, { tags: ["other"] });
    expect(at(changed.json, "vcons", 0, "parties")).toEqual([{ tel: "+1" }]);
  });

  it("queues jobs, also when nothing is stored", async () => {
    const answer = await process("stored/queue_job", { queue_name: "next", from_queue: "test" });
    expect(answer.json).toMatchObject({
      queue_jobs: [{ job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["stored"], from_queue: "test" }],
    });
    expect(await waiting()).toMatchObject([{ job_type: "vcon_uuid", vcon_uuid: ["stored"], queue: "test" }]);
    const missing = await process("missing/queue_job", { queue_name: "next" });
    expect([missing.status, missing.json]).toMatchObject([404, { detail: "vCon UUID: missing not found" }]);
    expect(await waiting()).toHaveLength(1);
    const nowhere = await process("stored/queue_job", { queue_name: "nowhere" });
    expect([nowhere.status, nowhere.json]).toMatchObject([404, { exception_class: "QueueDoesNotExist" }]);
  });

  it("lists what is wrong with options", async () => {
    for (const [body, type, loc] of [
      [{ tags: "seen" }, "list_type", ["body", "tags"]],
      [{}, "missing", ["body", "tags"]],
      [{ tags: [], input_vcon_index: "x" }, "int_parsing", ["body", "input_vcon_index"]],
      [{ tags: [], format_options: [] }, "dict_type", ["body", "format_options"]],
      [[], "dict_type", ["body"]],
      ["", "missing", ["body"]],
    ] as const) {
      const answer = await process("stored/tag", body);
      expect([answer.status, answer.json]).toMatchObject([422, { detail: [{ type, loc }] }]);
    }
    const template = await process("stored/tag", { ...tags, format_options: { label: "{nobody}" } });
    expect([template.status, template.json]).toMatchObject([422, { exception_class: "ParameterNotFound" }]);
    const coerced = await process("stored/tag", { ...tags, format_options: { input_vcon_index: "{{}}" } });
    expect(coerced.status).toBe(422);
  });

  it("looks for the input only when the processor does", async () => {
    const looked = await process("stored/tag", { ...tags, input_vcon_index: 3 });
    expect([looked.status, looked.json]).toMatchObject([404, { exception_class: "VconNotFound" }]);
    expect((await process("stored/set_parameters", { input_vcon_index: 3 })).status).toBe(200);
    expect((await process("stored/tag", { ...tags, input_vcon_index: -1 })).status).not.toBe(500);
  });

  it("refuses the wrong form, and names a failure", async () => {
    const signed = await process("signed/tag", tags);
    expect([signed.status, signed.json]).toMatchObject([
      422,
      { detail: expect.stringMatching(/^Cannot modify Vcon/), exception_class: "InvalidVconState" },
    ]);
    const broken = await process("stored/broken", {});
    expect([broken.status, broken.json]).toEqual([
      500,
      { detail: "processor: broken failed: this one is broken", code: "processor_failed" },
    ]);
  });
});

describe("POST /processIO/{processor}", () => {
  const io = (vcons: readonly unknown[], more: object = {}) => ({ vcons, ...more });

  it("takes vCons that are not stored, and ignores what does not count", async () => {
    const answer = await processIO("tag", {
      processor_io: io([vcon("p"), vcon("q")], { vcons_modified: [true, true], queue_jobs: [{ junk: 1 }] }),
      processor_options: { ...tags, input_vcon_index: 1 },
    });
    expect(answer.json).toMatchObject({
      vcons: [vcon("p"), { uuid: "q", attachments: [{}] }],
      vcons_modified: [false, true],
      parameters: {},
      queue_jobs: [],
    });
  });

  it("chains: an output is an input, as the pipeline editor does it", async () => {
    let last: unknown = io([vcon("chain")]);
    for (const [name, options] of [
      ["jq", { jq_queries: { tel: ".vcons[0].parties[0].tel" } }],
      ["set_parameters", { parameters: { other: null } }],
      ["tag", { tags: ["x"] }],
    ] as const) {
      const answer = await processIO(`${name}?commit_changes=false`, {
        processor_io: last,
        processor_options: options,
      });
      expect(answer.status).toBe(200);
      last = answer.json;
    }
    expect(last).toMatchObject({ parameters: { tel: "+1", other: null }, vcons_modified: [true] });
  });

  it("fills options in from the parameters", async () => {
    const answer = await processIO("set_parameters", {
      processor_io: io([], { parameters: { no: false } }),
      processor_options: { parameters: { a: 1 }, format_options: { should_process: "{no}" } },
    });
    expect(answer.json).toEqual({ vcons: [], vcons_modified: [], parameters: { no: false }, queue_jobs: [] });
  });

  it("stores what was changed, and nothing else", async () => {
    const answer = await processIO("tag?commit_changes=true", {
      processor_io: io([vcon("io-same"), vcon("io-changed")]),
      processor_options: { ...tags, input_vcon_index: 1 },
    });
    expect(answer.status).toBe(200);
    expect((await server.call("GET", "/vcon/io-same")).status).toBe(404);
    expect((await server.call("GET", "/vcon/io-changed")).text).toContain("seen");
  });

  it("takes signed and encrypted vCons along", async () => {
    const vcons = [signedVcon("io-signed"), encryptedVcon("io-encrypted")];
    const answer = await processIO("set_parameters", { processor_io: io(vcons), processor_options: {} });
    expect(at(answer.json, "vcons")).toEqual(vcons);
  });

  it("refuses with 422 where the reference failed", async () => {
    const options = { processor_options: tags };
    for (const body of [
      { processor_io: io([vcon("twice"), vcon("twice")]), ...options },
      { processor_io: io([vcon("a")]) },
      { processor_io: io([{}]), ...options },
      { processor_io: io([7]), ...options },
      { processor_io: { vcons: {} }, ...options },
      { processor_io: { vcons: [], parameters: [] }, ...options },
      { processor_io: "processor IO", ...options },
      { processor_io: io([vcon("a")]), processor_options: "processor options" },
      { processor_io: io([vcon("a")]), processor_options: { tags: 5 } },
      [],
      "",
    ]) {
      const answer = await processIO("tag", body);
      expect([body, answer.status]).toEqual([body, 422]);
    }
  });
});
