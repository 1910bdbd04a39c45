import { createHash } from "node:crypto";
import { VconductorError } from "../errors.ts";
import { ProcessorIO } from "../processors/io.ts";
import type { ProcessorRegistry } from "../processors/registry.ts";
import { runStep, type StepServices } from "../processors/step.ts";
import type { PipelineDefinition, PipelineStep } from "./definition.ts";

export interface StepFailure {
  readonly error: VconductorError;
  readonly processor: string;
  readonly step: number;
}

/** A processor failed: which, and why. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  readonly failure: StepFailure;

  constructor(failure: StepFailure) {
    super(failure.error.message, { cause: failure.error });
    this.failure = failure;
  }
}

/** Where the outputs of steps are kept, so that a retry goes on after the last one that succeeded. */
export interface Checkpoints {
  load(): Promise<readonly { readonly step: number; readonly fingerprint: string; readonly io: string }[]>;
  save(checkpoint: {
    readonly step: number;
    readonly fingerprint: string;
    readonly io: string;
  }): Promise<void>;
}

export interface RunSteps {
  readonly definition: PipelineDefinition;
  readonly io: ProcessorIO;
  readonly registry: ProcessorRegistry;
  readonly services: StepServices;
  readonly signal: AbortSignal;
  readonly checkpoints?: Checkpoints | undefined;
  readonly onProgress?: (percent: number, message: string | undefined) => void;
  /** Called before and after each step: when it must have ended, in milliseconds since 1970; 0 for no limit. */
  readonly onDeadline?: (deadline: number) => void;
  /** Called with the work of a step that did not stop when its time was up. */
  readonly onLeftBehind?: (work: Promise<unknown>) => void;
}

export interface StepReport {
  readonly processor: string;
  readonly outcome: "done" | "skipped" | "checkpoint";
  readonly ms: number;
}

/**
 * Runs the steps of a pipeline in order, each on the output of the one before.
 * @returns the last output, and what each step did
 * @throws StepFailed naming the step; nothing is saved then
 */
export async function runSteps(
  run: RunSteps,
): Promise<{ readonly io: ProcessorIO; readonly steps: readonly StepReport[] }> {
  const { definition, checkpoints } = run;
  const timeoutMs = Math.max(0, definition.pipeline_options.timeout * 1000);
  const fingerprints = checkpoints === undefined ? [] : fingerprintsOf(definition.processors, run.io);
  const resumed = checkpoints === undefined ? undefined : await lastOf(checkpoints, fingerprints);
  const io = resumed?.io ?? run.io;
  const steps: StepReport[] = [];
  for (const [index, step] of definition.processors.entries()) {
    if (resumed !== undefined && index <= resumed.step) {
      steps.push({ processor: step.processor_name, outcome: "checkpoint", ms: 0 });
      continue;
    }
    const begun = performance.now();
    const outcome = await one(run, { io, step, index, timeoutMs });
    steps.push({ processor: step.processor_name, outcome, ms: Math.round(performance.now() - begun) });
    const fingerprint = fingerprints[index];
    if (checkpoints !== undefined && fingerprint !== undefined && index < definition.processors.length - 1) {
      await checkpoints.save({ step: index, fingerprint, io: JSON.stringify(io.snapshot()) });
    }
  }
  return { io, steps };
}

async function one(
  run: RunSteps,
  options: {
    readonly io: ProcessorIO;
    readonly step: PipelineStep;
    readonly index: number;
    readonly timeoutMs: number;
  },
): Promise<"done" | "skipped"> {
  const { io, step, index, timeoutMs } = options;
  const count = run.definition.processors.length;
  run.onDeadline?.(timeoutMs > 0 ? Date.now() + timeoutMs : 0);
  try {
    return await runStep({
      registry: run.registry,
      step,
      io,
      services: run.services,
      timeoutMs,
      signal: run.signal,
      ...(run.onLeftBehind === undefined ? {} : { onLeftBehind: run.onLeftBehind }),
      // Each step has an equal share of the run's hundred per cent.
      progress: (percent, message) => run.onProgress?.(((index + percent / 100) / count) * 100, message),
    });
  } catch (error) {
    const known =
      error instanceof VconductorError
        ? error
        : new VconductorError("internal", "Internal error", { cause: error });
    throw new StepFailed({ error: known, processor: step.processor_name, step: index });
  } finally {
    run.onDeadline?.(0);
  }
}

/** A step's output is good for a retry only if the input and every step up to it are still the same. */
function fingerprintsOf(steps: readonly PipelineStep[], io: ProcessorIO): readonly string[] {
  const hash = createHash("sha256");
  for (const entry of io.entries) hash.update(`${entry.uuid}@${entry.origin?.revision ?? 0}\n`);
  return steps.map((step) => hash.update(JSON.stringify(step)).copy().digest("hex"));
}

async function lastOf(checkpoints: Checkpoints, fingerprints: readonly string[]) {
  const saved = await checkpoints.load();
  const last = saved.findLast((checkpoint) => fingerprints[checkpoint.step] === checkpoint.fingerprint);
  return last === undefined ? undefined : { step: last.step, io: ProcessorIO.restore(JSON.parse(last.io)) };
}
