import type { PipelineDefinition } from "../../src/pipelines/definition.ts";

/** A pipeline that does nothing, with every option that it has by default. */
export function doesNothing({ saves = true }: { readonly saves?: boolean } = {}): PipelineDefinition {
  return {
    pipeline_options: {
      label: "",
      notes: "",
      save_vcons: saves,
      timeout: 0,
      failure_queue: "",
      success_queue: "",
      retry_limit: 0,
      retry_delay: 0,
      retry_backoff: false,
      on_conflict: "rerun",
      run_as: "caller",
      checkpoint: false,
      run_budget: 0,
      run_token_limit: 0,
      queue_budget: 0,
      queue_budget_hours: 24,
    },
    processors: [],
  };
}
