import { hostname } from "node:os";
import { type AnyFilter, applyFilter, fromContent, toValue, type VconDocument } from "@vconductor/vcon";
import type { Processor } from "./define.ts";
import type { ProcessorIO } from "./io.ts";
import { copyJson, equalJson } from "./json.ts";
import { isObjectSchema } from "./options.ts";

/**
 * A filter as a processor. Its result takes the input's place when it has the same uuid, and is otherwise added as
 * a new vCon. A filter of content can read what was signed or verified in the run, but change only what is unsigned; one that
 * signs or encrypts says itself what it takes.
 *
 * @throws Error the filter's options are not a JSON Schema of type object
 */
export function fromFilter(filter: AnyFilter): Processor {
  const { name, title, description, version, options: schema } = filter;
  if (!isObjectSchema(schema)) throw new Error(`${name}: options is not a JSON Schema of type object`);
  return {
    name,
    title,
    description,
    version,
    ...("replace" in filter && filter.replace === true ? { replace: true } : {}),
    options: schema,
    async process(io, options, { jq, signal, fetch }) {
      const index = options.input_vcon_index;
      const context = { domain: hostname(), jq, signal, fetch };
      const input = inputOf(filter, { io, index });
      const result = await applyFilter(filter, input, { options, context });
      signal.throwIfAborted();
      if ("apply" in filter && result.uuid === io.uuid(index) && io.form(index) === "signed") {
        // Changed content would take the place of the signature that it was read from.
        if (!equalJson(toValue(result), io.content(index))) io.peekVcon(index);
      } else io.fromLibrary(result);
      return io;
    },
  };
}

/** Every filter of content gets a copy of its own: plugins may not keep to the rule that input is never changed. */
function inputOf(
  filter: AnyFilter,
  { io, index }: { readonly io: ProcessorIO; readonly index: number },
): VconDocument {
  if (!("apply" in filter)) return io.toLibrary(index);
  return fromContent(copyJson(io.content(index)));
}
