import type { JsonValue } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { choice } from "../choice.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";
import { JsonText } from "../jq/json-text.ts";

export const condition = defineProcessor({
  name: "condition",
  title: "Condition",
  description:
    "Asks a jq program, and goes on if its first output is anything but false or null; otherwise the pipeline ends here as " +
    "a success (stop), passes over the next processors (skip), or fails. The program's input is that of jq: vcons and " +
    "parameters.",
  version: "1.0.0",
  options: Type.Object({
    jq_condition: Type.String({
      title: "condition",
      description: "jq program, for example .vcons[0].parties | length > 1",
      minLength: 1,
    }),
    otherwise: choice(["stop", "skip", "fail"], {
      title: "otherwise",
      description: "What happens when the condition does not hold.",
      default: "stop",
    }),
    skip: Type.Integer({
      title: "skip",
      description: "How many processors to pass over, for otherwise: skip.",
      minimum: 1,
      maximum: 1000,
      default: 1,
    }),
    message: Type.String({
      title: "message",
      description: "The reason of the failure, for otherwise: fail.",
      default: "",
    }),
  }),
  example: {
    about: "Goes on only with conversations of at least two parties.",
    options: { jq_condition: ".vcons[0].parties | length > 1" },
  },
  async process(io, { jq_condition, otherwise, skip, message }, context) {
    const vcons = Array.from({ length: io.length }, (_, index) => io.view(index));
    const parameters = Object.fromEntries(io.parameters);
    if (await holds(context, { program: jq_condition, input: { vcons, parameters } })) return io;
    if (otherwise === "stop") context.stop();
    else if (otherwise === "skip") context.skip(skip);
    else {
      const why = message === "" ? `the condition does not hold: ${jq_condition}` : message;
      throw new VconductorError("processor_failed", `processor: condition: ${why}`);
    }
    return io;
  },
});

/** As jq has it, everything but false and null is true; no output is false. */
async function holds(
  { jq }: ProcessorContext,
  { program, input }: { readonly program: string; readonly input: JsonValue },
): Promise<boolean> {
  const [first] = await jq(program, new JsonText(JSON.stringify(input)));
  return first !== undefined && first !== false && first !== null;
}
