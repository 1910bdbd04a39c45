/**
 * What plugins are written with: `@vconductor/server/plugin`. A plugin may also do without importing anything: its
 * default export is then a plain object of the shape `PluginProcessor`.
 */
import type { CommonOptions } from "./processors/common-options.ts";
import type { Processor, ProcessorContext } from "./processors/define.ts";
import type { ProcessorIO } from "./processors/io.ts";

export { Type } from "typebox";
export { type ErrorCode, VconductorError } from "./errors.ts";
export type { CommonOptions } from "./processors/common-options.ts";
export {
  defineProcessor,
  type MediaStore,
  type PaidAnswer,
  type Processor,
  type ProcessorContext,
  type ProcessorDefinition,
  type ProcessorExample,
  type ProcessorLog,
  type Usage,
} from "./processors/define.ts";
export type { GuardedFetch, GuardedInit } from "./processors/fetch.ts";
export type { ProcessorIO } from "./processors/io.ts";

/** JSON Schema of the options of a processor. */
export interface OptionsSchema {
  readonly type: "object";
  /** A schema for each option. It has a `title`, a `description` and, unless the option is required, a `default`. */
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

/**
 * A processor as a plain object, for plugins that import nothing at run time.
 *
 * @typeParam Options what `process` gets: those of the schema, with defaults filled in
 */
export interface PluginProcessor<Options extends object = object>
  extends Omit<Processor, "options" | "process"> {
  readonly options: OptionsSchema;
  /** Changes `io` and returns it. Never writes the store: the caller commits what `io` then holds. */
  process(
    io: ProcessorIO,
    options: Options & CommonOptions,
    context: ProcessorContext,
  ): ProcessorIO | Promise<ProcessorIO>;
}
