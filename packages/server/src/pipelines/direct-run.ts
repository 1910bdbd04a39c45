import type { JsonObject } from "@vconductor/vcon";
import type { Principal } from "../access/principal.ts";

/** What a synchronous run of a processor or a pipeline answers with: the reference's VconProcessorOutput. */
export interface ProcessorOutput {
  readonly vcons: readonly JsonObject[];
  readonly vcons_modified: readonly boolean[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly queue_jobs: readonly unknown[];
}

/** A document given in a request: its text as it came, and what it parses to. */
export interface GivenDocument {
  readonly text: string;
  readonly value: JsonObject;
}

/**
 * Runs processors and pipelines at once, in the request that asks for it: no job, no lock. Changes are committed
 * (with the jobs they queue, in one transaction) only over the revision that they were computed from.
 *
 * Every method throws: vcon_not_found, invalid_options, invalid_vcon_state, parameter_not_found,
 * processor_not_registered, queue_not_found (a job's target), processor_failed, provider_failed,
 * pipeline_timeout, conflict (a vCon changed meanwhile; nothing is saved), forbidden (the caller may process the vCon,
 * but not write what came of it).
 */
export interface DirectRunner {
  /** One processor on a stored vCon. */
  processStored(options: {
    readonly processor: string;
    readonly uuid: string;
    readonly processorOptions: Readonly<Record<string, unknown>>;
    readonly commit: boolean;
    readonly signal: AbortSignal;
    readonly caller: Principal;
  }): Promise<ProcessorOutput>;
  /** One processor on the vCons and parameters given. */
  processGiven(options: {
    readonly processor: string;
    readonly vcons: readonly GivenDocument[];
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly processorOptions: Readonly<Record<string, unknown>>;
    readonly commit: boolean;
    readonly signal: AbortSignal;
    readonly caller: Principal;
  }): Promise<ProcessorOutput>;
  /** A pipeline on a stored vCon. @throws pipeline_not_found */
  pipelineOnStored(options: {
    readonly pipeline: string;
    readonly uuid: string;
    readonly save: boolean;
    readonly signal: AbortSignal;
    readonly caller: Principal;
  }): Promise<ProcessorOutput>;
  /** A pipeline on a vCon given, which counts as new. @throws pipeline_not_found */
  pipelineOnGiven(options: {
    readonly pipeline: string;
    readonly vcon: GivenDocument;
    readonly save: boolean;
    readonly signal: AbortSignal;
    readonly caller: Principal;
  }): Promise<ProcessorOutput>;
}
