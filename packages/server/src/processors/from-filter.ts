import { hostname } from "node:os";
import { type AnyFilter, applyFilter, fromContent, toValue, type VconDocument } from "@vconductor/vcon";
import type { Processor } from "./define.ts";
import type { ProcessorIO } from "./io.ts";
import { isObjectSchema } from "./options.ts";

/**
 * A filter as a processor. Its result takes the input's place when it has the same uuid, and is otherwise added as
 * a new vCon. A filter of content needs an unsigned input; one that signs or encrypts says itself what it takes.
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
      const input = "apply" in filter ? fromContent(io.vcon(index)) : documentAt(io, index);
      const context = { domain: hostname(), jq, signal, fetch };
      const result = await applyFilter(filter, input, { options, context });
      signal.throwIfAborted();
      if (result.uuid === io.uuid(index)) io.update(toValue(result));
      else io.add(toValue(result));
      return io;
    },
  };
}

function documentAt(io: ProcessorIO, index: number): VconDocument {
  const entry = io.entries[index];
  if (entry === undefined || entry.form === "unsigned") return fromContent(io.peekVcon(index));
  const { uuid, value, form } = entry;
  const text = JSON.stringify(value);
  return form === "signed"
    ? { state: "unverified", uuid, jws: value, text }
    : { state: "encrypted", uuid, jwe: value, text };
}
