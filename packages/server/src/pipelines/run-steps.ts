import { createHash } from "node:crypto";
import { VconductorError } from "../errors.ts";
import type { Checkpoint } from "../jobs/job-queue.ts";
import { ProcessorIO } from "../processors/io.ts";
import type { ProcessorRegistry } from "../processors/registry.ts";
import { runStep, type StepPipeline, type StepServices } from "../processors/step.ts";
import { Suspended } from "../processors/suspended.ts";
import type { PaidCalls } from "../usage/paid-calls.ts";
import type { PipelineDefinition, PipelineStep } from "./definition.ts";
import type { ServiceCalls, WaitsFor } from "./service-calls.ts";
import { StepPlace } from "./step-place.ts";

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
  load(): Promise<readonly Checkpoint[]>;
  /** Keeps the output of every step. Default: only that before a step which suspends the run is given, to whoever ran it */
  readonly save?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

/** A run that ends for now: what it waits for, and where it goes on. */
export interface SuspendedAt {
  readonly waitsFor: WaitsFor;
  readonly checkpoint: Checkpoint | undefined;
}

export interface RunSteps {
  readonly definition: PipelineDefinition;
  readonly io: ProcessorIO;
  readonly registry: ProcessorRegistry;
  readonly services: StepServices;
  readonly signal: AbortSignal;
  readonly paid: PaidCalls;
  /** The definition of another pipeline, for processors that run one. @throws pipeline_not_found */
  readonly definitionOf: (pipeline: string) => Promise<PipelineDefinition>;
  readonly service: ServiceCalls;
  /** The place of the step that runs these; undefined for the pipeline of the run itself. */
  readonly within?: StepPlace | undefined;
  readonly checkpoints?: Checkpoints | undefined;
  readonly onProgress?: (percent: number, message: string | undefined) => void;
  /** Called before and after each step: when it must have ended, in milliseconds since 1970; 0 for no limit. */
  readonly onDeadline?: (deadline: number) => void;
  /** Called with the work of a step that did not stop when its time was up. */
  readonly onLeftBehind?: (work: Promise<unknown>) => void;
}

export interface StepReport {
  readonly processor: string;
  /** `passed_over`: an earlier processor said so. `checkpoint`: done by an earlier run of the job. */
  readonly outcome: "done" | "skipped" | "passed_over" | "checkpoint";
  readonly ms: number;
}

/**
 * Runs the steps of a pipeline in order, each on the output of the one before.
 * @returns the last output, and what each step did
 * @throws StepFailed naming the step; nothing is saved then
 * @throws Suspended<SuspendedAt> a step waits for a remote worker
 */
export async function runSteps(
  run: RunSteps,
): Promise<{ readonly io: ProcessorIO; readonly steps: readonly StepReport[] }> {
  const { checkpoints } = run;
  const { processors, pipeline_options } = run.definition;
  const timeoutMs = Math.max(0, pipeline_options.timeout * 1000);
  const fingerprints = checkpoints === undefined ? [] : fingerprintsOf(processors, run.io);
  const resumed = checkpoints === undefined ? undefined : await lastOf(checkpoints, fingerprints);
  const io = resumed?.io ?? run.io;
  const steps: StepReport[] = [];
  let next = resumed === undefined ? 0 : resumed.step + 1;
  for (const [index, step] of processors.entries()) {
    const { processor_name: processor } = step;
    if (index < next) {
      const before = resumed !== undefined && index <= resumed.step;
      steps.push({ processor, outcome: before ? "checkpoint" : "passed_over", ms: 0 });
      continue;
    }
    const begun = performance.now();
    const place = new StepPlace({ index, count: processors.length, processor, within: run.within });
    const before = io.snapshot();
    const outcome = await one(run, { io, step, place, timeoutMs }).catch((error: unknown) => {
      if (!(error instanceof Suspended) || run.within !== undefined) throw error;
      const fingerprint = fingerprintsOf(processors, run.io)[index - 1];
      const checkpoint =
        fingerprint === undefined ? undefined : { step: index - 1, fingerprint, io: JSON.stringify(before) };
      throw new Suspended<SuspendedAt>({ waitsFor: error.what, checkpoint });
    });
    steps.push({ processor, outcome, ms: Math.round(performance.now() - begun) });
    next = place.next;
    const fingerprint = fingerprints[next - 1];
    if (checkpoints?.save !== undefined && fingerprint !== undefined && next < processors.length) {
      await checkpoints.save({ step: next - 1, fingerprint, io: JSON.stringify(io.snapshot()) });
    }
  }
  return { io, steps };
}

async function one(
  run: RunSteps,
  options: {
    readonly io: ProcessorIO;
    readonly step: PipelineStep;
    readonly place: StepPlace;
    readonly timeoutMs: number;
  },
): Promise<"done" | "skipped"> {
  const { io, step, place, timeoutMs } = options;
  const { processors } = run.definition;
  run.onDeadline?.(timeoutMs > 0 ? Date.now() + timeoutMs : 0);
  // Each step has an equal share of the run's hundred per cent.
  const onProgress = (percent: number, message: string | undefined) =>
    run.onProgress?.(((place.index + percent / 100) / processors.length) * 100, message);
  try {
    return await runStep({
      registry: run.registry,
      step,
      io,
      services: run.services,
      pipeline: lendPipeline({ ...run, onProgress }, place),
      timeoutMs,
      signal: run.signal,
      ...(run.onLeftBehind === undefined ? {} : { onLeftBehind: run.onLeftBehind }),
      progress: onProgress,
    });
  } catch (error) {
    if (error instanceof Suspended) throw error;
    const known =
      error instanceof VconductorError
        ? error
        : new VconductorError("internal", "Internal error", { cause: error });
    throw new StepFailed({ error: known, processor: step.processor_name, step: place.index });
  } finally {
    run.onDeadline?.(0);
  }
}

const deepest = 10;

/** What a pipeline lends to one of its steps. */
export function lendPipeline(
  run: Omit<RunSteps, "definition" | "io" | "signal" | "checkpoints" | "onDeadline">,
  place: StepPlace,
): StepPipeline {
  const { registry, services, paid, definitionOf, service, onProgress } = run;
  return {
    service: (request, signal) => service({ ...request, step: place.path, signal }),
    paid: (request, call) => paid.make({ processor: place.processor, step: place.path, request, call }),
    stop: () => place.stop(),
    skip: (count) => place.skip(count),
    async runPipeline(name, io, signal) {
      if (place.depth >= deepest) {
        const why = `pipeline: ${name} is not run: ${deepest} pipelines already run one inside the other; do they call each other in a circle?`;
        throw new VconductorError("invalid_options", why);
      }
      const definition = await definitionOf(name);
      const report = onProgress === undefined ? {} : { onProgress };
      try {
        // Its steps change `io` itself: only a run that resumes from a checkpoint gives another one.
        await runSteps({
          definition,
          io,
          registry,
          services,
          signal,
          paid,
          definitionOf,
          service,
          within: place,
          ...report,
        });
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        const { error: cause, processor, step } = error.failure;
        const message = `pipeline: ${name} step ${step} (${processor}): ${cause.message}`;
        throw new VconductorError(cause.code, message, { cause });
      }
    },
  };
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
