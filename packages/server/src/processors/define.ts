import type { JsonValue } from "@vconductor/vcon";
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
  /** The value of a named secret, if the server has it. Options get theirs without asking: see `define.ts`. */
  secret(name: string): string | undefined;
  /** Every output of a jq program, run in the sandbox. @throws invalid_query */
  jq(program: string, input: JsonValue | JsonText): Promise<JsonValue[]>;
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
