export const insights = {
  pipeline_options: {
    label: "Understand conversations",
    notes:
      "Who said how much, about what and in which mood, and does anybody have to look at it? If so, it goes on to the queue triage.",
    timeout: 30,
  },
  processors: [
    { processor_name: "conversation_stats", processor_options: { label: "measure" } },
    { processor_name: "language_detect", processor_options: {} },
    { processor_name: "sentiment", processor_options: {} },
    { processor_name: "keywords", processor_options: { limit: 5 } },
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
    { processor_name: "tag_router", processor_options: { routes: { measured: "care" } } },
  ],
};
