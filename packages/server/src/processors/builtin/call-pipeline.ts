import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

export const callPipeline = defineProcessor({
  name: "call_pipeline",
  title: "Call a pipeline",
  description:
    "Runs the processors of another pipeline here, on the same vCons and parameters, as if they were written in its place. " +
    "Of its options only the timeout counts. A stop within it ends it alone.",
  version: "1.0.0",
  options: Type.Object({
    pipeline: Type.String({ title: "pipeline", description: "The name of the pipeline.", minLength: 1 }),
  }),
  example: { about: "Runs the pipeline tidy.", options: { pipeline: "tidy" } },
  async process(io, { pipeline }, context) {
    await context.runPipeline(pipeline, io);
    return io;
  },
});
