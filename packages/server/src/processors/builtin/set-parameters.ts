import type { JsonValue } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { copyJson } from "../json.ts";

export const setParameters = defineProcessor({
  name: "set_parameters",
  title: "Set parameters",
  description: "Sets parameters to the given values, over those of the same name. Does not touch vCons.",
  version: "1.0.0",
  options: Type.Object({
    parameters: Type.Unsafe<Readonly<Record<string, JsonValue>>>({
      type: "object",
      title: "parameters",
      description: "Parameter name to any JSON value.",
      default: {},
    }),
  }),
  example: { about: "Sets the parameter team.", options: { parameters: { team: "support" } } },
  process(io, { parameters }) {
    for (const [name, value] of Object.entries(parameters)) io.parameters.set(name, copyJson(value));
    return io;
  },
});
