import { care } from "./pipelines/care.ts";
import { insights } from "./pipelines/insights.ts";
import { copies, rehearsal } from "./pipelines/rehearsal.ts";
import { triage } from "./pipelines/triage.ts";

/** The queues of the demo, the first of which the conversations are put in; the pipeline of a queue bears its name. */
export const queues = ["insights", "triage", "care", "rehearsal"] as const;

/** Together, all processors that need nobody else. The pipeline copies has no queue: others call it. */
export const pipelines: Readonly<
  Record<
    (typeof queues)[number] | "copies",
    {
      readonly processors: readonly { readonly processor_name: string; readonly processor_options: object }[];
    }
  >
> = { insights, triage, care, rehearsal, copies };
