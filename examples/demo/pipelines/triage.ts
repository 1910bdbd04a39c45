export const triage = {
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
