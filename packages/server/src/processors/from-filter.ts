import type { VconFilter } from "@vconductor/vcon";
import type { Processor } from "./define.ts";
import { isObjectSchema } from "./options.ts";

/**
 * A filter as a processor. It needs an unsigned input. Its result takes the input's place when it has the same
 * uuid, and is otherwise added as a new vCon.
 *
 * @throws Error the filter's options are not a JSON Schema of type object
 */
export function fromFilter(filter: VconFilter<object>): Processor {
  const { name, title, description, version, options: schema } = filter;
  if (!isObjectSchema(schema)) throw new Error(`${name}: options is not a JSON Schema of type object`);
  return {
    name,
    title,
    description,
    version,
    ...("replace" in filter && filter.replace === true ? { replace: true } : {}),
    options: schema,
    async process(io, options, context) {
      const input = io.vcon(options.input_vcon_index);
      const result = await filter.apply(input, options);
      context.signal.throwIfAborted();
      if (result.uuid === io.uuid(options.input_vcon_index)) io.update(result);
      else io.add(result);
      return io;
    },
  };
}
