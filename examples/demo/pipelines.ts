/** The queues of the demo; the pipeline of a queue bears its name. */
export const queues = ["insights", "triage"] as const;

const insights = {
  pipeline_options: {
    label: "Measure conversations",
    notes: "Who said how much, and does anybody have to look at it? If so, it goes on to the queue triage.",
    timeout: 30,
  },
  processors: [
    { processor_name: "conversation_stats", processor_options: { label: "measure" } },
    {
      processor_name: "set_parameters",
      processor_options: { label: "thresholds", parameters: { one_sided_from: 0.6, lively_from: 10 } },
    },
    {
      processor_name: "jq",
      processor_options: {
        label: "judge",
        jq_queries: {
          stats: '[.vcons[0].analysis[] | select(.type == "conversation_stats")] | last.body',
          turns: ".parameters.stats.totals.turns",
          one_sided:
            ".parameters | .one_sided_from as $from | .stats | .totals.words as $all | any(.parties[]; .words > 0 and .words / $all >= $from)",
          needs_triage: ".parameters | .one_sided or .turns >= .lively_from",
        },
      },
    },
    { processor_name: "tag", processor_options: { tags: ["measured"] } },
    {
      processor_name: "tag",
      processor_options: { tags: ["one-sided"], format_options: { should_process: "{one_sided}" } },
    },
    {
      processor_name: "queue_job",
      processor_options: { queue_name: "triage", format_options: { should_process: "{needs_triage}" } },
    },
  ],
};

const triage = {
  pipeline_options: { label: "Sort conversations", timeout: 30 },
  processors: [
    { processor_name: "set_parameters", processor_options: { parameters: { patience_seconds: 60 } } },
    {
      processor_name: "jq",
      processor_options: {
        jq_queries: {
          who: '[.vcons[0].analysis[] | select(.type == "conversation_stats")] | last.body.parties | map(select(.turns > 0))',
          slow: ".parameters | .patience_seconds as $most | any(.who[]; (.median_response_seconds // 0) > $most)",
          alone: ".parameters.who | length == 1",
        },
      },
    },
    { processor_name: "tag", processor_options: { tags: ["triage"] } },
    {
      processor_name: "tag",
      processor_options: { tags: ["slow-answers"], format_options: { should_process: "{slow}" } },
    },
    {
      processor_name: "tag",
      processor_options: { tags: ["call-back"], format_options: { should_process: "{alone}" } },
    },
  ],
};

export const pipelines: Readonly<Record<(typeof queues)[number], object>> = { insights, triage };

/** What must have come out for a sample. */
export interface Expectation {
  /** The pipelines that it goes through. */
  readonly pipelines: readonly string[];
  readonly tags: readonly string[];
}

/** By file; a sample that is not named here must have been measured at least. */
export const expectations: Readonly<Record<string, Expectation>> = {
  "support-call.vcon.json": { pipelines: ["insights", "triage"], tags: ["measured", "one-sided", "triage"] },
  "team-chat.vcon.json": { pipelines: ["insights", "triage"], tags: ["measured", "triage", "slow-answers"] },
  "email-thread.vcon.json": { pipelines: ["insights"], tags: ["measured"] },
  "legacy-call.vcon.json": { pipelines: ["insights"], tags: ["measured"] },
  "voicemail.vcon.json": {
    pipelines: ["insights", "triage"],
    tags: ["measured", "one-sided", "triage", "call-back"],
  },
};
