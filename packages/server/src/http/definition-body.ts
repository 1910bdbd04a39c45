import { Type } from "typebox";
import { VconductorError } from "../errors.ts";
import { type PipelineDefinition, PipelineOptions } from "../pipelines/definition.ts";
import { missingBody } from "./body.ts";
import { requireStorable } from "./storable.ts";
import { coercing, toFindings } from "./validation.ts";

const Definition = Type.Object({
  pipeline_options: PipelineOptions,
  processors: Type.Array(
    Type.Object({
      processor_name: Type.String({ minLength: 1, maxLength: 200 }),
      processor_options: Type.Object({}, { additionalProperties: true }),
    }),
  ),
});

const validate = coercing<PipelineDefinition>(Definition);
const mostSteps = 1000;

const optionNames = new Set(Object.keys(PipelineOptions.properties));

/**
 * The pipeline definition in a body: defaults filled in, and what a definition has no place for dropped, except
 * among the options of processors.
 * @throws invalid_request naming every mistake
 */
export function definitionOf(body: unknown): PipelineDefinition {
  if (body === undefined) throw missingBody();
  const tidy = isRecord(body) ? tidied(body) : body;
  requireFewSteps(tidy);
  requireStorable(tidy, ["body"]);
  const valid = validate(tidy);
  if (valid) return valid.value;
  throw new VconductorError("invalid_request", "The pipeline definition is not valid", {
    detail: toFindings(validate.errors ?? [], "body"),
  });
}

/** Counted before anything looks at each of them. */
function requireFewSteps(body: unknown): void {
  if (!isRecord(body) || !Array.isArray(body.processors) || body.processors.length <= mostSteps) return;
  const msg = `List should have at most ${mostSteps} items, not ${body.processors.length}`;
  throw new VconductorError("invalid_request", msg, {
    detail: [{ type: "too_long", loc: ["body", "processors"], msg, input: {} }],
  });
}

/** Without nulls, which stand for the default, and without unknown members. */
function tidied(body: Record<string, unknown>): unknown {
  const { pipeline_options: options, processors } = body;
  return {
    ...(options === undefined
      ? {}
      : { pipeline_options: isRecord(options) ? knownOptions(options) : options }),
    ...(processors === undefined
      ? {}
      : { processors: Array.isArray(processors) ? processors.map(step) : processors }),
  };
}

function knownOptions(options: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => optionNames.has(name) && value !== null),
  );
}

function step(entry: unknown): unknown {
  if (!isRecord(entry)) return entry;
  const { processor_name, processor_options } = entry;
  return {
    ...(processor_name === undefined ? {} : { processor_name }),
    ...(processor_options === undefined
      ? {}
      : {
          processor_options: isRecord(processor_options)
            ? withoutNulls(processor_options)
            : processor_options,
        }),
  };
}

function withoutNulls(options: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
