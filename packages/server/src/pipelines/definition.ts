import { type Static, Type } from "typebox";

/** The options of a pipeline. Unknown members are dropped; null means the default. */
export const PipelineOptions = Type.Object(
  {
    label: Type.String({ default: "", title: "label", description: "A short name for people." }),
    notes: Type.String({ default: "", title: "notes", description: "Longer documentation for people." }),
    save_vcons: Type.Boolean({
      default: true,
      title: "save changed vCons",
      description: "Whether jobs store the vCons that the processors changed or made.",
    }),
    timeout: Type.Number({
      default: 0,
      title: "processor timeout",
      description: "Seconds that each processor may take. 0 or less: no limit.",
    }),
    failure_queue: Type.String({
      default: "",
      title: "failure queue",
      description: "Queue for jobs that failed. Empty: they stay listed as failed under their own queue.",
    }),
    success_queue: Type.String({
      default: "",
      title: "success queue",
      description: "Queue for a follow-up job after each job that succeeded. Empty: none.",
    }),
    retry_limit: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1000,
      title: "retry limit",
      description: "How often a failed job is tried again. A crash of a worker does not count.",
    }),
    retry_delay: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 31_536_000,
      title: "retry delay",
      description: "Seconds before a retry.",
    }),
    retry_backoff: Type.Boolean({
      default: false,
      title: "retry backoff",
      description: "Whether the delay doubles with each retry.",
    }),
    on_conflict: Type.Union([Type.Literal("rerun"), Type.Literal("fail")], {
      default: "rerun",
      title: "on conflict",
      description:
        "What to do when a vCon was changed from outside while the pipeline ran: run again on the new revision, or fail.",
    }),
    run_as: Type.Union([Type.Literal("caller"), Type.Literal("pipeline")], {
      default: "caller",
      title: "run as",
      description:
        "With whose rights it reads and saves vCons: of whoever queued the job, or its own, which are those of its " +
        "tenant and of the access lists that name pipeline:NAME.",
    }),
    checkpoint: Type.Boolean({
      default: false,
      title: "checkpoint",
      description:
        "Whether each processor's output, and every answer that was paid for, is kept, so that a retry goes on " +
        "after the last one that succeeded and pays for nothing again.",
    }),
    run_budget: Type.Number({
      default: 0,
      minimum: 0,
      title: "budget of a run",
      description: "US dollars that the paid calls of one run may cost; the next one fails. 0: no limit.",
    }),
    run_token_limit: Type.Integer({
      default: 0,
      minimum: 0,
      title: "token limit of a run",
      description: "Tokens, read and written, that one run may use. 0: no limit.",
    }),
    queue_budget: Type.Number({
      default: 0,
      minimum: 0,
      title: "budget of the queue",
      description:
        "US dollars that all runs of the pipeline may cost within queue_budget_hours. 0: no limit.",
    }),
    queue_budget_hours: Type.Number({
      default: 24,
      exclusiveMinimum: 0,
      maximum: 744,
      title: "period of the queue's budget",
      description: "Hours, up to now, over which queue_budget is counted.",
    }),
  },
  { $id: "PipelineOptions", title: "PipelineOptions" },
);
export type PipelineOptions = Static<typeof PipelineOptions>;

export interface PipelineStep {
  readonly processor_name: string;
  readonly processor_options: Readonly<Record<string, unknown>>;
}

export interface PipelineDefinition {
  readonly pipeline_options: PipelineOptions;
  readonly processors: readonly PipelineStep[];
}
