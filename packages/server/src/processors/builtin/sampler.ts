import { createHash } from "node:crypto";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

export const sampler = defineProcessor({
  name: "sampler",
  title: "Sample",
  description:
    "Lets a share of the vCons go on, and ends the pipeline for the rest, as a success. The same vCon always has the same " +
    "lot, on every server and every retry; another seed draws another sample.",
  version: "1.0.0",
  options: Type.Object({
    percent: Type.Number({
      title: "percent",
      description: "The share that goes on, 0 to 100.",
      minimum: 0,
      maximum: 100,
    }),
    seed: Type.String({ title: "seed", description: "Any text: which sample is drawn.", default: "" }),
    set_parameter: Type.String({
      title: "parameter",
      description: "Gets true or false; the pipeline then goes on either way. Empty: none.",
      default: "",
    }),
  }),
  example: { about: "Lets one vCon in ten go on.", options: { percent: 10 } },
  process(io, { percent, seed, set_parameter, input_vcon_index }, { stop }) {
    const drawn = lot(`${seed}\n${io.uuid(input_vcon_index)}`) * 100 < percent;
    if (set_parameter !== "") io.parameters.set(set_parameter, drawn);
    else if (!drawn) stop();
    return io;
  },
});

/** A number from 0 up to 1 that looks random and depends on the text alone. */
function lot(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
