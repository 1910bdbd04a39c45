import { type CreateOptions, VconBuilder } from "./building/builder.ts";
import { parse } from "./document/parse.ts";
import type { ReadableDocument } from "./document/states.ts";
import type { Vcon as Content } from "./document/types.ts";

/** As a type, the content of a vCon; as a value, the ways to get one. */
export type Vcon = Content;

export const Vcon = {
  /** Reads one; see `parse`. */
  parse,

  /** Begins a new one. */
  create: (options: CreateOptions): Promise<VconBuilder> => VconBuilder.create(options),

  /** Goes on with one that is there; it is not touched. `withContent(document, builder.current)` keeps its spelling. */
  edit: ({ vcon }: ReadableDocument): VconBuilder => new VconBuilder(vcon),
} as const;
