import type { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { GatewayError } from "./problems.ts";

/** A field of a form, of any kind. */
export type Field = readonly [name: string, value: string];

export interface FormFile {
  readonly field: string;
  readonly filename: string;
  readonly content: Readable;
}

/**
 * The fields of a `multipart/form-data` body, in their order; of any other body, none.
 *
 * @param onFile has to read the file to its end
 * @throws GatewayError it cannot be read, or a file is too large
 */
export async function readForm(
  request: FastifyRequest,
  onFile: (file: FormFile) => Promise<void>,
): Promise<readonly Field[]> {
  const fields: Field[] = [];
  if (!request.isMultipart()) return fields;
  try {
    for await (const part of request.parts()) {
      if (part.type === "field") {
        // One that says that it is JSON has been parsed.
        fields.push([
          part.fieldname,
          typeof part.value === "string" ? part.value : JSON.stringify(part.value),
        ]);
      } else {
        const { fieldname: field, filename, file: content } = part;
        await onFile({ field, filename, content });
        if (content.truncated) throw new GatewayError("ValueError", "The file is too large", 413);
      }
    }
  } catch (error) {
    throw isBroken(error)
      ? new GatewayError("ValueError", `The form cannot be read: ${error.message}`)
      : error;
  }
  return fields;
}

/** What the parser says of a form that ends too early and the like: it is a plain error. Those of the disk name a call. */
function isBroken(error: unknown): error is Error {
  return (
    error instanceof Error && error.name === "Error" && !("statusCode" in error) && !("syscall" in error)
  );
}
