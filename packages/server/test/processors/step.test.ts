import { once } from "node:events";
import { Type } from "typebox";
import { afterAll, describe, expect, it } from "vitest";
import { VconductorError } from "../../src/errors.ts";
import { builtin } from "../../src/processors/builtin/index.ts";
import { defineProcessor, type Processor } from "../../src/processors/define.ts";
import { ProcessorIO } from "../../src/processors/io.ts";
import { ProcessorRegistry } from "../../src/processors/registry.ts";
import { type RunStep, runStep } from "../../src/processors/step.ts";
import { vcon } from "./sample.ts";
import { alone, testServices } from "./test-services.ts";
import { rejected } from "./thrown.ts";

const services = testServices({ KEY: "hunter2" });
afterAll(() => services.stop());

/** A processor for one test. */
function processor(process: Processor["process"]): Processor {
  return defineProcessor({
    name: "probe",
    title: "Probe",
    description: "For tests.",
    version: "1.0.0",
    options: Type.Object({
      count: Type.Integer({ default: 0 }),
      api_key: Type.String({ default: "", writeOnly: true }),
    }),
    process,
  });
}

function run(
  probe: Processor,
  options: object = {},
  more: Partial<RunStep> = {},
): Promise<"done" | "skipped"> {
  const io = new ProcessorIO();
  io.add(vcon("a"), { lent: true });
  const registry = new ProcessorRegistry([...builtin, probe]);
  const step = { processor_name: "probe", processor_options: options };
  return runStep({ registry, step, io, services, pipeline: alone, ...more });
}

describe("runStep", () => {
  it("runs a processor with its effective options", async () => {
    let seen: unknown;
    const probe = processor((io, options) => {
      seen = options;
      return io;
    });
    expect(await run(probe, { extra: 1 })).toBe("done");
    expect(seen).toEqual({
      label: "",
      notes: "",
      input_vcon_index: 0,
      should_process: true,
      format_options: {},
      count: 0,
      api_key: "",
      extra: 1,
    });
  });

  it("fills options in from parameters, also the condition", async () => {
    const io = new ProcessorIO({ n: 7, bad: false });
    io.add(vcon("a"), { lent: true });
    const seen: unknown[] = [];
    const probe = processor((given, { count, note }) => {
      seen.push(count, note);
      return given;
    });
    const stored = {
      format_options: { count: "{n}", note: "n={n}", should_process: "True", format_options: "x" },
    };
    expect(await run(probe, stored, { io })).toBe("done");
    expect(seen).toEqual([7, "n=7"]);
    expect(stored.format_options.count).toBe("{n}");
    expect(await run(probe, { format_options: { should_process: "{bad}" } }, { io })).toBe("skipped");
    expect(seen).toHaveLength(2);
  });

  it("names a missing parameter, and a value that does not fit", async () => {
    const probe = processor((io) => io);
    expect((await rejected(run(probe, { format_options: { count: "{n}" } }))).code).toBe(
      "parameter_not_found",
    );
    expect(await rejected(run(probe, { format_options: { count: "many" } }))).toMatchObject({
      code: "invalid_options",
      detail: [{ loc: ["count"], input: "many" }],
    });
  });

  it("does not know a processor that is not registered", async () => {
    const step = { processor_name: "nope", processor_options: {} };
    expect(
      await rejected(
        run(
          processor((io) => io),
          {},
          { step },
        ),
      ),
    ).toMatchObject({
      code: "processor_not_registered",
      message: "processor: nope not registered",
    });
  });

  it("requires the input vCon unless told otherwise", async () => {
    const probe = processor((io) => io);
    expect((await rejected(run(probe, { input_vcon_index: 3 }))).code).toBe("vcon_not_found");
    expect(await run(probe, { input_vcon_index: 3 }, { requireInput: false })).toBe("done");
    expect(await run(probe, { input_vcon_index: 3, should_process: false })).toBe("skipped");
  });

  it("wraps what a processor throws, and passes errors with a code on", async () => {
    const failed = await rejected(
      run(
        processor(() => {
          throw new TypeError("no such thing");
        }),
      ),
    );
    expect(failed).toMatchObject({
      code: "processor_failed",
      message: "processor: probe failed: no such thing",
    });
    expect(failed.cause).toBeInstanceOf(TypeError);
    const known = new VconductorError("provider_failed", "no answer");
    expect(await rejected(run(processor(() => Promise.reject(known))))).toBe(known);
  });

  it("fails a processor that does not return its io", async () => {
    const error = await rejected(run(processor(() => new ProcessorIO())));
    expect(error.code).toBe("processor_failed");
  });

  it("gives secrets to the processor and keeps them out of errors", async () => {
    const seen: string[] = [];
    const probe = processor((_io, { api_key }) => {
      seen.push(String(api_key));
      throw new Error(`401 for ${api_key}`);
    });
    for (const api_key of ["secret:KEY", "literal-key"]) {
      const error = await rejected(run(probe, { api_key }));
      expect(error.message).toBe("processor: probe failed: 401 for ********");
      expect(error.cause).toBeUndefined();
    }
    expect(seen).toEqual(["hunter2", "literal-key"]);
  });

  it("ends a processor that heeds its signal when its time is up", async () => {
    const probe = processor(async (io, _options, { signal }) => {
      await once(signal, "abort");
      signal.throwIfAborted();
      return io;
    });
    expect(await rejected(run(probe, {}, { timeoutMs: 20 }))).toMatchObject({
      code: "pipeline_timeout",
      status: 430,
      message: "processor: probe took longer than 0.02 seconds",
    });
  });

  it("leaves one behind that does not, and lets it say no more", async () => {
    const reported: number[] = [];
    const release = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const probe = processor(async (io, _options, context) => {
      context.progress(10);
      await release.promise;
      context.progress(90);
      ended.resolve();
      return io;
    });
    const progress = (percent: number) => void reported.push(percent);
    expect((await rejected(run(probe, {}, { timeoutMs: 20, progress }))).code).toBe("pipeline_timeout");
    release.resolve();
    await ended.promise;
    expect(reported).toEqual([10]);
  });

  it("stops for the caller, with the caller's reason", async () => {
    const probe = processor(async (io, _options, { signal }) => {
      await once(signal, "abort");
      return io;
    });
    const first = new AbortController();
    const running = rejected(run(probe, {}, { signal: first.signal }));
    first.abort();
    expect((await running).code).toBe("run_cancelled");
    const reason = new VconductorError("stopping", "the server is stopping");
    expect(await rejected(run(probe, {}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  it("stops jq when the time is up", async () => {
    const probe = processor(async (io, _options, context) => {
      await context.jq("def f: f; f", null);
      return io;
    });
    await services.jq.run({ program: ".", input: null });
    expect((await rejected(run(probe, {}, { timeoutMs: 50 }))).code).toBe("pipeline_timeout");
    expect(await services.jq.run({ program: ".", input: 1 })).toEqual([1]);
  });

  it("guards what a processor fetches", async () => {
    const probe = processor(async (io, _options, { fetch }) => {
      await fetch("http://127.0.0.1:1/");
      return io;
    });
    expect((await rejected(run(probe))).code).toBe("fetch_refused");
  });

  it("keeps progress between 0 and 100", async () => {
    const reported: unknown[] = [];
    const probe = processor((io, _options, context) => {
      context.progress(-5);
      context.progress(50, "half");
      context.progress(150);
      return io;
    });
    await run(probe, {}, { progress: (percent, message) => void reported.push([percent, message]) });
    expect(reported).toEqual([
      [0, undefined],
      [50, "half"],
      [100, undefined],
    ]);
  });
});
