import { type JsonObject, readVcon, VconError } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import { isJsonObject } from "./json.ts";

export interface ProcessorIOInput {
  readonly vcons: readonly JsonObject[];
  readonly parameters: JsonObject;
}

const place = ["body", "processor_io"];

/**
 * The parts of a request's `processor_io` that count: `vcons` and `parameters`, both optional.
 *
 * @throws invalid_request, invalid_vcon, unsupported_vcon_version with a list of findings as `detail`
 */
export function readInput(input: unknown): ProcessorIOInput {
  const given = input ?? {};
  if (!isJsonObject(given)) throw wrong("dict_type", [], "Input should be a valid dictionary");
  const vcons = given.vcons ?? [];
  const parameters = given.parameters ?? {};
  if (!Array.isArray(vcons)) throw wrong("list_type", ["vcons"], "Input should be a valid list");
  if (!isJsonObject(parameters))
    throw wrong("dict_type", ["parameters"], "Input should be a valid dictionary");
  return { vcons: vcons.map(readGiven), parameters };
}

function readGiven(value: unknown, index: number): JsonObject {
  try {
    return readVcon(JSON.stringify(value ?? null)).value;
  } catch (error) {
    if (!(error instanceof VconError)) throw error;
    const code = error.code === "unsupported_version" ? "unsupported_vcon_version" : "invalid_vcon";
    const detail = error.findings.map(({ path, message, input }) => ({
      type: "value_error",
      loc: [...place, "vcons", index, ...path],
      msg: message,
      input: input ?? null,
    }));
    throw new VconductorError(code, error.message, { detail, cause: error });
  }
}

function wrong(type: string, path: readonly string[], msg: string): VconductorError {
  const detail = [{ type, loc: [...place, ...path], msg, input: null }];
  return new VconductorError("invalid_request", `${[...place, ...path].join(".")}: ${msg}`, { detail });
}
