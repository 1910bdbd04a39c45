import { conversationStatsSchema, type JsonValue } from "@vconductor/vcon";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, it } from "vitest";
import { builtin } from "../../../src/processors/builtin/index.ts";
import { ProcessorIO } from "../../../src/processors/io.ts";
import { ProcessorRegistry } from "../../../src/processors/registry.ts";
import { runStep } from "../../../src/processors/step.ts";
import { encrypted, signed, vcon } from "../sample.ts";
import { alone, testServices } from "../test-services.ts";
import { rejected } from "../thrown.ts";

const services = testServices();
afterAll(() => services.stop());
const registry = new ProcessorRegistry(builtin);

/** Runs a built-in processor on lent vCons. */
async function run(name: string, options: object, io = lent(vcon("a"))): Promise<ProcessorIO> {
  const step = { processor_name: name, processor_options: options };
  await runStep({ registry, step, io, services, pipeline: alone, requireInput: false });
  return io;
}

function lent(...vcons: Parameters<ProcessorIO["add"]>[0][]): ProcessorIO {
  const io = new ProcessorIO();
  for (const item of vcons) io.add(item, { lent: true });
  return io;
}

async function query(program: string, io: ProcessorIO): Promise<JsonValue | undefined> {
  return (await run("jq", { jq_queries: { p: program } }, io)).parameters.get("p");
}

describe("jq", () => {
  it("sees unsigned vCons as their content, the others as they are", async () => {
    const io = lent(vcon("a"), signed("s"), encrypted("e"));
    const counts =
      "[.vcons[0].parties, .vcons[1].parties, .vcons[1].signatures, .vcons[2].recipients] | map(length)";
    expect(await query(counts, io)).toEqual([2, 0, 1, 1]);
    expect(io.toOutput().vcons_modified).toEqual([false, false, false]);
  });

  it("keeps the first output, and lets later queries see earlier parameters", async () => {
    const io = await run("jq", {
      jq_queries: {
        names: ".vcons[0].parties[].name",
        both: '.parameters.names + "!"',
        nothing: "null",
        again: ".parameters | keys",
      },
    });
    expect(Object.fromEntries(io.parameters)).toEqual({
      names: "Ada Brandt",
      both: "Ada Brandt!",
      nothing: null,
      again: ["both", "names", "nothing"],
    });
  });

  it.each([
    ["empty", "the program gave no output"],
    [".[", "syntax error"],
    ['error("boom")', "boom"],
  ])("names the parameter when %s goes wrong", async (program, text) => {
    const error = await rejected(query(program, lent(vcon("a"))));
    expect(error.code).toBe("invalid_query");
    expect(error.message).toContain("query of parameter: p: ");
    expect(error.message).toContain(text);
  });

  it("does nothing without queries", async () => {
    expect((await run("jq", {})).parameters.size).toBe(0);
  });
});

describe("set_parameters", () => {
  it("merges over what is there", async () => {
    const io = new ProcessorIO({ a: 1, b: 2 });
    await run("set_parameters", { parameters: { b: null, c: { d: ["e"] } } }, io);
    expect(io.toOutput()).toMatchObject({
      parameters: { a: 1, b: null, c: { d: ["e"] } },
      vcons_modified: [],
    });
  });
});

describe("queue_job", () => {
  it("asks for a job for its input", async () => {
    const io = lent(vcon("a"), vcon("b"));
    await run("queue_job", { queue_name: "next", input_vcon_index: 1 }, io);
    await run("queue_job", { queue_name: "next", from_queue: "here" }, io);
    await run("queue_job", { queue_name: "next", from_queue: null }, io);
    expect(io.toOutput().queue_jobs).toEqual([
      { job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["b"] },
      { job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["a"], from_queue: "here" },
      { job_type: "vcon_uuid", to_queue: "next", vcon_uuids: ["a"] },
    ]);
  });

  it("needs a queue, and takes signed vCons", async () => {
    expect((await rejected(run("queue_job", {}))).detail).toMatchObject([
      { type: "missing", loc: ["queue_name"] },
    ]);
    const io = await run("queue_job", { queue_name: "next" }, lent(signed("s")));
    expect(io.queuedJobs).toEqual([{ queue: "next", uuids: ["s"], from: "" }]);
  });

  it("can depend on a parameter", async () => {
    const io = lent(vcon("a"));
    await run("jq", { jq_queries: { few: ".vcons[0].dialog | length < 2" } }, io);
    await run("queue_job", { queue_name: "next", format_options: { should_process: "{few}" } }, io);
    expect(io.queuedJobs).toEqual([]);
  });
});

describe("tag", () => {
  it("adds tags once", async () => {
    const io = await run("tag", { tags: ["topic:delivery", "urgent"] });
    await run("tag", { tags: ["urgent", "vip"] }, io);
    expect(io.vcon(0).attachments).toMatchObject([
      { purpose: "tags", body: ["topic:delivery", "urgent", "vip"] },
    ]);
    expect(io.toOutput().vcons_modified).toEqual([true]);
  });

  it("does not count as a change when there is nothing to add", async () => {
    const tagged = (await run("tag", { tags: ["urgent"] })).vcon(0);
    expect((await run("tag", { tags: ["urgent"] }, lent(tagged))).toOutput().vcons_modified).toEqual([false]);
  });

  it.each([
    [signed("s"), "UNVERIFIED"],
    [encrypted("e"), "ENCRYPTED"],
  ])("needs an unsigned vCon", async (given, state) => {
    const error = await rejected(run("tag", { tags: ["urgent"] }, lent(given)));
    expect(error.code).toBe("invalid_vcon_state");
    expect(error.message).toContain(`VconStates.${state}`);
  });
});

describe("conversation_stats", () => {
  it("writes an analysis by its documented schema", async () => {
    const io = await run("conversation_stats", {});
    const [analysis, ...more] = io.vcon(0).analysis ?? [];
    expect(more).toEqual([]);
    expect(analysis).toMatchObject({
      type: "conversation_stats",
      dialog: [0, 1],
      vendor: "vConductor",
      product: "conversation_stats",
      schema: "conversation_stats/1",
      mediatype: "application/json",
      encoding: "json",
      body: { totals: { turns: 2, words: 7 } },
    });
    const validate = new Ajv2020({ strict: false }).compile(conversationStatsSchema);
    expect(validate(analysis?.body)).toBe(true);
  });

  it("takes the place of its own earlier one, and leaves others alone", async () => {
    const other = { type: "conversation_stats", vendor: "another", body: {} };
    const io = lent({ ...vcon("a"), analysis: [other] });
    await run("conversation_stats", {}, io);
    io.update({ ...io.vcon(0), analysis: [...(io.vcon(0).analysis ?? []), { type: "summary", body: "x" }] });
    const [, first] = io.vcon(0).analysis ?? [];
    io.update({ ...io.vcon(0), dialog: [...(io.vcon(0).dialog ?? []), ...(vcon("a").dialog ?? [])] });
    await run("conversation_stats", {}, io);
    const analysis = io.vcon(0).analysis ?? [];
    expect(analysis.map(({ type, vendor }) => [type, vendor])).toEqual([
      ["conversation_stats", "another"],
      ["conversation_stats", "vConductor"],
      ["summary", undefined],
    ]);
    expect(analysis[1]).not.toEqual(first);
  });

  it("changes nothing when run again on the same conversation", async () => {
    const once = (await run("conversation_stats", {})).vcon(0);
    expect((await run("conversation_stats", {}, lent(once))).toOutput().vcons_modified).toEqual([false]);
  });

  it("writes nothing without words to count, and takes an earlier one away", async () => {
    const { dialog: _, ...silent } = vcon("a");
    expect((await run("conversation_stats", {}, lent(silent))).toOutput().vcons_modified).toEqual([false]);
    const counted = (await run("conversation_stats", {})).vcon(0);
    const io = await run("conversation_stats", {}, lent({ ...counted, dialog: [] }));
    expect(io.vcon(0).analysis).toEqual([]);
  });
});
