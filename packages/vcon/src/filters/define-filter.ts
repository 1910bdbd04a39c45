import type { JsonObject, Vcon } from "../document/types.ts";

/**
 * A pure operation on one vCon. It needs no server: the same filter runs from the library, the `vcon` command and, as
 * a processor, in a pipeline.
 */
export interface VconFilter<Options extends object = JsonObject> {
  /** What pipelines and the command call it, for example "tag". */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Of the filter, as semantic versioning has it. */
  readonly version: string;
  /** JSON Schema of the options: it checks them, documents them and draws their form. */
  readonly options: object;
  /**
   * Gives the changed vCon, or the one it was given when there is nothing to do; never changes its input.
   *
   * @param vcon in the newest version
   * @param options checked against the schema, with its defaults filled in
   */
  apply(vcon: Vcon, options: Options): Vcon | Promise<Vcon>;
}

/** Declares a filter; gives back what it gets, with its types checked. */
export function defineFilter<Options extends object>(filter: VconFilter<Options>): VconFilter<Options> {
  return filter;
}
