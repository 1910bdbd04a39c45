import { type ReadVcon, readVcon, VconError } from "@vconductor/vcon";
import type { FastifyRequest } from "fastify";
import type { Config } from "../config.ts";
import { VconductorError } from "../errors.ts";
import { missingBody, parseBody } from "./body.ts";

/**
 * The vCon in the body of a request, with its text.
 * @throws invalid_request, invalid_vcon, unsupported_vcon_version
 */
export function vconOf(
  request: FastifyRequest,
  config: Pick<Config, "maxNesting">,
): ReadVcon & { readonly text: string } {
  const text = request.bodyText;
  if (text === undefined) throw missingBody();
  try {
    const read = readVcon(text, { maxDepth: config.maxNesting });
    request.aboutVcon = read.uuid;
    return { ...read, text };
  } catch (error) {
    if (!(error instanceof VconError)) throw error;
    // Tells where in the text the mistake is.
    if (error.code === "not_json") parseBody(text);
    throw toProblem(error);
  }
}

function toProblem(error: VconError): VconductorError {
  // The reference's own text, in its string form.
  if (error.code === "no_uuid") return new VconductorError("invalid_vcon", "vCon UUID: not set");
  const code =
    error.code === "unsupported_version"
      ? "unsupported_vcon_version"
      : error.code === "too_deep"
        ? "invalid_request"
        : "invalid_vcon";
  const detail = error.findings.map(({ path, message, input }) => ({
    type: "value_error",
    loc: ["body", ...path],
    msg: message,
    input: input ?? null,
  }));
  return new VconductorError(code, error.message, { detail, cause: error });
}
