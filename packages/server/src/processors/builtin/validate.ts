import { addTags, validate as findings, type ValidationFinding } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { choice } from "../choice.ts";
import { defineProcessor } from "../define.ts";

/** More are of no use in one message or parameter. */
const MOST_SHOWN = 20;

export const validate = defineProcessor({
  name: "validate",
  title: "Validate",
  description:
    "Checks the vCon, in whatever form, against the rules of the format. What is wrong with it fails the step, becomes a " +
    "tag, or only a parameter: valid, errors and warnings (how many), and findings (at most 20, each with path, message, " +
    "rule and severity).",
  version: "1.0.0",
  options: Type.Object({
    mode: choice(["strict", "lenient"], {
      title: "mode",
      description:
        "strict: every rule of the newest draft; lenient: only what makes it unusable is an error.",
      default: "strict",
    }),
    on_invalid: choice(["fail", "tag", "go_on"], {
      title: "when invalid",
      description:
        "What becomes of one with errors: the step fails, it gets the tag validation:failed, or nothing.",
      default: "fail",
    }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets the result. Empty: none.",
      default: "validation",
    }),
  }),
  example: {
    about: "Goes on in any case; a condition may look at the parameter validation.",
    options: { on_invalid: "go_on" },
  },
  process(io, { mode, on_invalid, set_parameter, input_vcon_index }) {
    const found = findings(io.peek(input_vcon_index), { mode });
    const errors = found.filter(({ severity }) => severity === "error");
    if (errors.length > 0 && on_invalid === "fail") throw invalid(io.uuid(input_vcon_index), errors);
    if (errors.length > 0 && on_invalid === "tag") {
      io.update(addTags(io.peekVcon(input_vcon_index), ["validation:failed"]));
    }
    if (set_parameter !== "") {
      io.parameters.set(set_parameter, {
        valid: errors.length === 0,
        errors: errors.length,
        warnings: found.length - errors.length,
        findings: found
          .slice(0, MOST_SHOWN)
          .map(({ path, message, rule, severity }) => ({ path: path.join("."), message, rule, severity })),
      });
    }
    return io;
  },
});

function invalid(uuid: string, errors: readonly ValidationFinding[]): VconductorError {
  const shown = errors
    .slice(0, MOST_SHOWN)
    .map(({ path, message }) => `${path.join(".") || "the vCon"}: ${message}`);
  const more = errors.length > MOST_SHOWN ? [`and ${errors.length - MOST_SHOWN} more`] : [];
  return new VconductorError("invalid_vcon", `vCon ${uuid} is not valid: ${[...shown, ...more].join("; ")}`);
}
