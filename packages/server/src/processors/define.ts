import type { JsonObject, JsonValue } from "@vconductor/vcon";
import type { Static, TObject } from "typebox";
import type { CommonOptions } from "./common-options.ts";
import type { GuardedFetch } from "./fetch.ts";
import type { ProcessorIO } from "./io.ts";
import type { JsonText } from "./jq/json-text.ts";

/** What a processor gets beside its input: everything it may do to the outside. */
export interface ProcessorContext {
  /** Aborted when the processor's time is up or its run is cancelled. Pass it on to whatever you wait for. */
  readonly signal: AbortSignal;
  /** Tells those who watch the run how far it is: 0 to 100. */
  progress(percent: number, message?: string): void;
  readonly log: ProcessorLog;
  /** `fetch` that refuses private addresses unless they are allowed (FETCH_ALLOW). */
  readonly fetch: GuardedFetch;
  /**
   * An address of a host that may be connected to, by the same rules as `fetch`: for protocols other than HTTP.
   *
   * @throws fetch_refused
   */
  address(host: string, port: number): Promise<string>;
  /**
   * The value of a named secret, if the server has it; whatever it is, error texts do not show it. Options get
   * theirs without asking: see `defineProcessor`.
   */
  secret(name: string): string | undefined;
  /** `text` without the secrets that this processor was given: for error texts that are about to be cut short. */
  mask(text: string): string;
  /** The value of a setting that is no secret, such as OPENAI_BASE_URL; undefined when it is not set. */
  setting(name: string): string | undefined;
  /** Every output of a jq program, run in the sandbox. @throws invalid_query */
  jq(program: string, input: JsonValue | JsonText): Promise<JsonValue[]>;
  /**
   * Makes a call that costs: refused once the pipeline's budget is spent, and its usage is recorded with the run.
   * In a pipeline with `checkpoint` the answer is kept too, so that a retry of the job does not make it again.
   *
   * @param request tells this call from every other of the step: all that its answer depends on
   * @throws budget_exceeded
   */
  paid<Answer extends JsonValue>(
    request: JsonValue,
    call: () => Promise<PaidAnswer<Answer>>,
  ): Promise<Answer>;
  /** Runs the processors of another pipeline on `io`, in place. @throws pipeline_not_found, invalid_options (too deep) */
  runPipeline(name: string, io: ProcessorIO): Promise<void>;
  /**
   * Has a remote worker do something, and answers with its result. In the run of a job nobody waits: this processor is
   * left by an error that must not be caught, the run ends, and a later one calls this processor again, from its start.
   * So ask before anything is changed outside. Asking for the same again, in the same step of the same job, answers with
   * the same result.
   *
   * @throws queue_not_found, invalid_options (it is not a queue of remote workers), provider_failed (it was not done)
   */
  service(request: ServiceRequest): Promise<JsonValue>;
  /** Ends the pipeline after this processor, as a success: the rest is not run. Without a pipeline: no effect. */
  stop(): void;
  /** Passes over the next `count` processors of the pipeline. Without a pipeline: no effect. */
  skip(count: number): void;
  /** Where recordings and files are kept outside of vCons. */
  readonly media: MediaStore;
}

/** A job for remote workers. */
export interface ServiceRequest {
  readonly queue: string;
  /** The vCons that it is about. */
  readonly vconUuids: readonly string[];
  readonly payload: JsonValue;
  /** Higher runs first. Default: 0 */
  readonly priority?: number;
  /** After so many milliseconds the job is cancelled, and the step fails. Default: it waits until the job ends */
  readonly giveUpAfterMs?: number | undefined;
}

export interface PaidAnswer<Answer extends JsonValue> {
  readonly answer: Answer;
  readonly usage: Usage;
}

/** What a call to a provider used. */
export interface Usage {
  /** In lower case, for example "openai". */
  readonly provider: string;
  readonly model: string;
  /** Tokens read and written. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Length of the audio, in seconds. */
  readonly audioSeconds?: number;
}

/** Keeps content by its hash: the same bytes are kept once. */
export interface MediaStore {
  /** @returns where it is kept from now on: for the `url` and `content_hash` of a vCon */
  put(content: {
    readonly bytes: Uint8Array;
    readonly mediatype: string;
  }): Promise<{ readonly url: string; readonly contentHash: string }>;
  /** What is kept under a `url` that `put` gave; undefined when the URL is not of this store, or nothing is there. */
  get(url: string): Promise<Uint8Array | undefined>;
}

export interface ProcessorLog {
  debug(details: object, message?: string): void;
  info(details: object, message?: string): void;
  warn(details: object, message?: string): void;
  error(details: object, message?: string): void;
}

interface ProcessorFields {
  /** Unique; used in pipelines and paths: letters, digits, `_`, `-` and `.`, a letter first. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** May take the name of a processor that was loaded before. Default: false, the name is then a problem. */
  readonly replace?: boolean;
  /** Options to show how it is used, in docs/processors.md. */
  readonly example?: ProcessorExample;
}

export interface ProcessorExample {
  /** What these options do, as a sentence. */
  readonly about: string;
  readonly options: JsonObject;
}

/**
 * A processor with typed options. `options` is JSON Schema (TypeBox writes it): it validates, documents and
 * types. Options marked `writeOnly` are secrets: a value `"secret:NAME"` is replaced by that secret just
 * before the processor runs, and no value of theirs is ever shown.
 */
export interface ProcessorDefinition<Options extends TObject> extends ProcessorFields {
  readonly options: Options;
  /** Changes `io` and returns it. Never writes the store: the caller commits what `io` then holds. */
  process(
    io: ProcessorIO,
    options: Static<Options> & CommonOptions,
    context: ProcessorContext,
  ): ProcessorIO | Promise<ProcessorIO>;
}

/** A processor, whatever its options. */
export interface Processor extends ProcessorFields {
  readonly options: TObject;
  process(
    io: ProcessorIO,
    options: EffectiveOptions,
    context: ProcessorContext,
  ): ProcessorIO | Promise<ProcessorIO>;
}

/** Options that passed their schema: defaults filled in, unknown ones kept. */
export type EffectiveOptions = CommonOptions & { readonly [name: string]: unknown };

/** Gives a definition its types; the value is the definition itself. */
export function defineProcessor<Options extends TObject>(
  definition: ProcessorDefinition<Options>,
): Processor {
  return definition;
}
