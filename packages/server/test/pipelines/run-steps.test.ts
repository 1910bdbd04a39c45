import { Type } from "typebox";
import { Value } from "typebox/value";
import { afterAll, describe, expect, it } from "vitest";
import { VconductorError } from "../../src/errors.ts";
import { type PipelineDefinition, PipelineOptions } from "../../src/pipelines/definition.ts";
import { type Checkpoints, runSteps, StepFailed } from "../../src/pipelines/run-steps.ts";
import { builtin } from "../../src/processors/builtin/index.ts";
import { defineProcessor } from "../../src/processors/define.ts";
import { ProcessorIO } from "../../src/processors/io.ts";
import { ProcessorRegistry } from "../../src/processors/registry.ts";
import { PaidCalls } from "../../src/usage/paid-calls.ts";
import { vcon } from "../processors/sample.ts";
import { testServices } from "../processors/test-services.ts";
import { noLedger } from "../usage/no-ledger.ts";

const services = testServices();
afterAll(() => services.stop());

/** Notes in the parameter `trail` that it ran. */
const mark = defineProcessor({
  name: "mark",
  title: "Mark",
  description: "For tests.",
  version: "1.0.0",
  options: Type.Object({ as: Type.String() }),
  process(io, { as }, { progress }) {
    progress(50);
    io.parameters.set("trail", `${io.parameters.get("trail") ?? ""}${as}`);
    return io;
  },
});

const registry = new ProcessorRegistry([...builtin, mark]);

type Steps = readonly (readonly [name: string, options: Readonly<Record<string, unknown>>])[];

function pipeline(steps: Steps): PipelineDefinition {
  return {
    pipeline_options: Value.Create(PipelineOptions),
    processors: steps.map(([processor_name, processor_options]) => ({ processor_name, processor_options })),
  };
}

interface Setting {
  readonly others?: Readonly<Record<string, Steps>>;
  readonly checkpoints?: Checkpoints;
}

async function run(steps: Steps, { others = {}, checkpoints }: Setting = {}) {
  const io = new ProcessorIO();
  io.add(vcon("a"), { lent: true });
  const percents: number[] = [];
  const done = await runSteps({
    definition: pipeline(steps),
    io,
    registry,
    services,
    signal: new AbortController().signal,
    paid: new PaidCalls({ ledger: noLedger, prices: {} }),
    definitionOf: async (name) => {
      const found = others[name];
      if (found !== undefined) return pipeline(found);
      throw new VconductorError("pipeline_not_found", `pipeline: ${name} not found`);
    },
    service: () => Promise.reject(new Error("there are no remote workers")),
    checkpoints,
    onProgress: (percent) => percents.push(Math.round(percent)),
  });
  return {
    trail: done.io.parameters.get("trail"),
    outcomes: done.steps.map(({ outcome }) => outcome),
    percents,
  };
}

const never = { jq_condition: "false" };

describe("a pipeline", () => {
  it("ends where a condition says stop", async () => {
    const { trail, outcomes } = await run([
      ["mark", { as: "a" }],
      ["condition", never],
      ["mark", { as: "b" }],
    ]);
    expect([trail, outcomes]).toEqual(["a", ["done", "done", "passed_over"]]);
  });

  it("passes over as many steps as a condition says", async () => {
    const { trail, outcomes } = await run([
      ["condition", { ...never, otherwise: "skip", skip: 2 }],
      ["mark", { as: "a" }],
      ["mark", { as: "b" }],
      ["mark", { as: "c" }],
      ["condition", { ...never, otherwise: "skip", skip: 9 }],
      ["mark", { as: "d" }],
    ]);
    expect(trail).toBe("c");
    expect(outcomes).toEqual(["done", "passed_over", "passed_over", "done", "done", "passed_over"]);
  });

  it("goes on where the condition holds, and fails where it is to fail", async () => {
    const holds = ["condition", { jq_condition: ".vcons[0].parties | length == 2" }] as const;
    expect((await run([holds, ["mark", { as: "a" }]])).trail).toBe("a");
    const failing = run([["condition", { ...never, otherwise: "fail", message: "no parties" }]]);
    await expect(failing).rejects.toThrow("processor: condition: no parties");
  });

  it("runs another one in the place of a step", async () => {
    const { trail, percents } = await run(
      [
        ["mark", { as: "a" }],
        ["call_pipeline", { pipeline: "inner" }],
        ["mark", { as: "d" }],
      ],
      {
        others: {
          inner: [
            ["mark", { as: "b" }],
            ["mark", { as: "c" }],
          ],
        },
      },
    );
    expect(trail).toBe("abcd");
    expect(percents).toEqual([17, 42, 58, 83]);
  });

  it("is not ended by a stop in the one that it calls", async () => {
    const steps: Steps = [
      ["call_pipeline", { pipeline: "inner" }],
      ["mark", { as: "b" }],
    ];
    expect(
      (
        await run(steps, {
          others: {
            inner: [
              ["condition", never],
              ["mark", { as: "a" }],
            ],
          },
        })
      ).trail,
    ).toBe("b");
  });

  it("says in which pipeline a step failed", async () => {
    const others = { outer: [["call_pipeline", { pipeline: "inner" }]], inner: [["queue_job", {}]] } as const;
    const failed = await run([["call_pipeline", { pipeline: "outer" }]], { others }).catch((error) => error);
    expect(failed).toBeInstanceOf(StepFailed);
    expect(failed.failure).toMatchObject({
      processor: "call_pipeline",
      step: 0,
      error: { code: "invalid_options" },
    });
    expect(failed.message).toContain(
      "pipeline: outer step 0 (call_pipeline): pipeline: inner step 0 (queue_job): ",
    );
  });

  it("does not call itself for ever, nor one that is not there", async () => {
    const circle = { circle: [["call_pipeline", { pipeline: "circle" }]] } as const;
    await expect(run(circle.circle, { others: circle })).rejects.toThrow(
      "do they call each other in a circle?",
    );
    await expect(run([["call_pipeline", { pipeline: "none" }]])).rejects.toThrow("pipeline: none not found");
  });

  it("goes on after what was passed over when a retry resumes it", async () => {
    const saved: { step: number; fingerprint: string; io: string }[] = [];
    const checkpoints: Checkpoints = {
      load: async () => saved,
      save: async (checkpoint) => void saved.push(checkpoint),
    };
    const steps: Steps = [
      ["mark", { as: "a" }],
      ["condition", { ...never, otherwise: "skip", skip: 1 }],
      ["mark", { as: "b" }],
      ["mark", { as: "c" }],
    ];
    expect((await run(steps, { checkpoints })).trail).toBe("ac");
    expect(saved.map(({ step }) => step)).toEqual([0, 2]);
    const again = await run(steps, { checkpoints });
    expect([again.trail, again.outcomes]).toEqual(["ac", ["checkpoint", "checkpoint", "checkpoint", "done"]]);
  });

  it("lets a share of the vCons go on, the same ones each time", async () => {
    const drawn = async (percent: number, seed: string) =>
      (
        await run([
          ["sampler", { percent, seed }],
          ["mark", { as: "x" }],
        ])
      ).trail === "x";
    expect([await drawn(0, ""), await drawn(100, "")]).toEqual([false, true]);
    const lots = await Promise.all(Array.from({ length: 200 }, (_, seed) => drawn(30, String(seed))));
    const again = await Promise.all(Array.from({ length: 200 }, (_, seed) => drawn(30, String(seed))));
    expect(again).toEqual(lots);
    const share = lots.filter(Boolean).length / lots.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
  });
});
