import { type JsonObject, readVcon } from "@vconductor/vcon";
import { isAllowed, type Principal, viewerOf } from "../access/principal.ts";
import { VconductorError } from "../errors.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { TenantMedia } from "../media/tenant-media.ts";
import { ProcessorIO } from "../processors/io.ts";
import type { ProcessorRegistry } from "../processors/registry.ts";
import { runStep, type StepServices } from "../processors/step.ts";
import { PaidCalls, type PaidCallsOptions } from "../usage/paid-calls.ts";
import type { Prices } from "../usage/prices.ts";
import type { UsageLedger } from "../usage/usage-ledger.ts";
import type { StoredVcon, VconStore } from "../vcons/vcon-store.ts";
import type { JobValues } from "../work/job-values.ts";
import { type Actor, actorOf, toActor } from "./actor.ts";
import type { DirectCommit } from "./direct-commit.ts";
import type { DirectRunner, GivenDocument, ProcessorOutput } from "./direct-run.ts";
import { changesOf, followUpsOf, type Sources } from "./effects.ts";
import type { PipelineStore } from "./pipeline-store.ts";
import { lendPipeline, runSteps, StepFailed } from "./run-steps.ts";
import { waitingCalls } from "./service-calls.ts";
import { StepPlace } from "./step-place.ts";

export interface LocalRunnerOptions {
  readonly vcons: VconStore;
  readonly jobs: JobQueue;
  readonly pipelines: PipelineStore;
  readonly registry: ProcessorRegistry;
  readonly services: StepServices;
  readonly media: Pick<TenantMedia, "of">;
  /** What is given to remote workers, and what comes of it. */
  readonly values: JobValues;
  readonly usage: UsageLedger;
  readonly prices: Prices;
  readonly commit: DirectCommit;
}

/** Runs processors and pipelines in the process that is asked to. */
export class LocalRunner implements DirectRunner {
  readonly #options: LocalRunnerOptions;

  constructor(options: LocalRunnerOptions) {
    this.#options = options;
  }

  async processStored(options: Parameters<DirectRunner["processStored"]>[0]): Promise<ProcessorOutput> {
    const actor = toActor(options.caller);
    const stored = await this.#load(options, actor);
    return await this.#process(options, {
      actor,
      io: ioOfStored(stored),
      sources: new Map([[stored.uuid, stored]]),
    });
  }

  async processGiven(options: Parameters<DirectRunner["processGiven"]>[0]): Promise<ProcessorOutput> {
    const io = ProcessorIO.fromInput({
      vcons: options.vcons.map((vcon) => vcon.value),
      parameters: options.parameters,
    });
    const actor = toActor(options.caller);
    return await this.#process(options, { actor, io, sources: sourcesOf(io, options.vcons) });
  }

  async pipelineOnStored(options: Parameters<DirectRunner["pipelineOnStored"]>[0]): Promise<ProcessorOutput> {
    const { actor, definition } = await this.#called(options);
    const stored = await this.#load(options, actor);
    return await this.#pipeline(options, {
      actor,
      definition,
      io: ioOfStored(stored),
      sources: new Map([[stored.uuid, stored]]),
      about: options.uuid,
    });
  }

  async pipelineOnGiven(options: Parameters<DirectRunner["pipelineOnGiven"]>[0]): Promise<ProcessorOutput> {
    const { actor, definition } = await this.#called(options);
    const io = new ProcessorIO();
    io.add(options.vcon.value);
    return await this.#pipeline(options, {
      actor,
      definition,
      io,
      sources: sourcesOf(io, [options.vcon]),
      about: io.uuid(0),
    });
  }

  /** The vCon, if it may be processed, and read by the caller, who is shown what comes of it. */
  async #load(
    { uuid, caller }: { readonly uuid: string; readonly caller: Principal },
    { viewer }: Actor,
  ): Promise<StoredVcon> {
    const reader = viewerOf(caller);
    if (!reader.all) await this.#options.vcons.get(uuid, { viewer: reader });
    return await this.#options.vcons.get(uuid, { viewer, to: "process" });
  }

  /** The pipeline, if the caller may use it, and for whom it works. */
  async #called({ pipeline, caller }: { readonly pipeline: string; readonly caller: Principal }) {
    const stored = await this.#options.pipelines.get(pipeline, viewerOf(caller));
    return { actor: actorOf(stored, caller), definition: stored.definition };
  }

  async #process(
    options: {
      readonly processor: string;
      readonly processorOptions: Readonly<Record<string, unknown>>;
      readonly commit: boolean;
      readonly signal: AbortSignal;
      readonly caller: Principal;
    },
    { actor, io, sources }: { readonly actor: Actor; readonly io: ProcessorIO; readonly sources: Sources },
  ): Promise<ProcessorOutput> {
    const { registry } = this.#options;
    const trusted = isAllowed(options.caller, ["pipeline:write"]);
    // Whoever may write a pipeline may say where the server's secrets go; others use those that do.
    const services = { ...this.#servicesFor(actor), ...(trusted ? {} : { reference: refuseReference }) };
    const place = new StepPlace({ index: 0, count: 1, processor: options.processor });
    await runStep({
      registry,
      step: { processor_name: options.processor, processor_options: options.processorOptions },
      io,
      services,
      signal: options.signal,
      pipeline: lendPipeline({ registry, services, ...this.#lending(actor) }, place),
      requireInput: false,
    });
    await this.#save(io, { actor, sources: options.commit ? sources : undefined });
    return io.toOutput();
  }

  async #pipeline(
    options: { readonly pipeline: string; readonly save: boolean; readonly signal: AbortSignal },
    run: Pick<Parameters<typeof runSteps>[0], "definition" | "io"> & {
      readonly actor: Actor;
      readonly sources: Sources;
      readonly about: string;
    },
  ): Promise<ProcessorOutput> {
    const { registry } = this.#options;
    const services = this.#servicesFor(run.actor);
    try {
      const { io } = await runSteps({
        definition: run.definition,
        io: run.io,
        registry,
        services,
        signal: options.signal,
        ...this.#lending(run.actor, {
          queue: options.pipeline,
          budget: run.definition.pipeline_options,
        }),
      });
      await this.#save(io, { actor: run.actor, sources: options.save ? run.sources : undefined });
      return io.toOutput();
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      if (error.failure.error.code !== "pipeline_timeout") throw error.failure.error;
      // The reference's text, spelling included: clients look for it.
      throw new VconductorError(
        "pipeline_timeout",
        `Error: pipeline: ${options.pipeline} uuid: ${run.about} processing time exeeded timeout`,
        { cause: error },
      );
    }
  }

  #servicesFor({ viewer }: Actor): StepServices {
    const { services, media } = this.#options;
    return { ...services, media: media.of(viewer) };
  }

  #lending(actor: Actor, pipeline: Pick<PaidCallsOptions, "queue" | "budget"> = {}) {
    const { usage: ledger, prices, pipelines, jobs, values } = this.#options;
    const { viewer } = actor;
    return {
      service: waitingCalls({ jobs, values, actor }),
      paid: new PaidCalls({ ledger, prices, ...pipeline }),
      definitionOf: async (name: string) => (await pipelines.get(name, viewer)).definition,
    };
  }

  /** Queued jobs are pushed whether or not changes are saved; both commit together. */
  async #save(
    io: ProcessorIO,
    { actor, sources }: { readonly actor: Actor; readonly sources: Sources | undefined },
  ): Promise<void> {
    const changes = sources === undefined ? [] : changesOf(io, sources, actor);
    const followUps = followUpsOf(io, actor);
    if (changes.length > 0 || followUps.length > 0) await this.#options.commit({ changes, followUps });
  }
}

function refuseReference(name: string): never {
  throw new VconductorError("forbidden", `secret:${name} in options takes the scope pipeline:write`);
}

function ioOfStored({ body: text, revision }: StoredVcon): ProcessorIO {
  const io = new ProcessorIO();
  io.add(readVcon(text, { maxDepth: Number.POSITIVE_INFINITY }).value, { stored: { text, revision } });
  return io;
}

/** The texts of vCons that a caller gave, by uuid: an IO made of them has them in the same order. */
function sourcesOf(io: ProcessorIO, documents: readonly GivenDocument[]): Sources {
  return new Map(
    documents.map((document: { readonly text: string; readonly value: JsonObject }, index) => [
      io.uuid(index),
      { body: document.text },
    ]),
  );
}
