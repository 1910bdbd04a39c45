import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

export const queueJob = defineProcessor({
  name: "queue_job",
  title: "Queue a job",
  description:
    "Adds a job for the input vCon to a queue. The job is queued when what the processor did is committed; " +
    "a queue that does not exist then is an error.",
  version: "1.0.0",
  options: Type.Object({
    queue_name: Type.String({ title: "queue", description: "The queue that gets the job.", minLength: 1 }),
    from_queue: Type.Union([Type.String(), Type.Null()], {
      title: "from queue",
      description: "A label that is kept in the job: the queue it comes from.",
      default: "",
    }),
  }),
  example: { about: "Queues the vCon for the pipeline archive.", options: { queue_name: "archive" } },
  process(io, { queue_name, from_queue, input_vcon_index }) {
    io.queueJob({ queue: queue_name, uuids: [io.uuid(input_vcon_index)], from: from_queue ?? "" });
    return io;
  },
});
