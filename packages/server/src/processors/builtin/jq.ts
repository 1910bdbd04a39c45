import type { JsonValue } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";
import { JsonText } from "../jq/json-text.ts";

export const jq = defineProcessor({
  name: "jq",
  title: "Query with jq",
  description:
    "Sets parameters from jq programs. A program's input is an object with vcons (all vCons given to the " +
    "processor; signed ones as what they hold only if they were signed or verified in this run, encrypted ones as they are) and parameters; the parameter becomes its first output. " +
    "Programs run in the order they are given, and see the parameters that earlier ones set.",
  version: "1.0.0",
  options: Type.Object({
    jq_queries: Type.Record(Type.String(), Type.String(), {
      title: "queries",
      description: "Parameter name to jq program.",
      default: {},
    }),
  }),
  example: {
    about: "Sets the parameters turns and subject, for the options of later processors.",
    options: { jq_queries: { turns: ".vcons[0].dialog | length", subject: ".vcons[0].subject" } },
  },
  async process(io, { jq_queries }, context) {
    const queries = Object.entries(jq_queries);
    if (queries.length === 0) return io;
    const vcons = JSON.stringify(Array.from({ length: io.length }, (_, index) => io.view(index)));
    for (const [parameter, program] of queries) {
      // Only the parameters change from one program to the next.
      const parameters = JSON.stringify(Object.fromEntries(io.parameters));
      const input = new JsonText(`{"vcons":${vcons},"parameters":${parameters}}`);
      io.parameters.set(parameter, await firstOutput(context, parameter, program, input));
    }
    return io;
  },
});

async function firstOutput(
  context: ProcessorContext,
  parameter: string,
  program: string,
  input: JsonText,
): Promise<JsonValue> {
  const outputs = await context.jq(program, input).catch((error: unknown) => {
    if (!(error instanceof VconductorError) || error.code !== "invalid_query") throw error;
    throw new VconductorError("invalid_query", `query of parameter: ${parameter}: ${error.message}`);
  });
  const first = outputs[0];
  if (first !== undefined) return first;
  throw new VconductorError(
    "invalid_query",
    `query of parameter: ${parameter}: jq: the program gave no output`,
  );
}
