export const care = {
  pipeline_options: {
    label: "Keep conversations well",
    notes:
      "Checks the vCon, says until when to keep it, moves recordings to the media store, and signs a statement of what there was.",
    timeout: 30,
  },
  processors: [
    { processor_name: "validate", processor_options: { on_invalid: "tag" } },
    { processor_name: "expire", processor_options: { days: 365, from: "last_dialog", reason: "a demo" } },
    {
      processor_name: "diet",
      processor_options: { dialog_bodies: "keep", analysis_types_to_remove: ["wtf_transcription"] },
    },
    { processor_name: "move_media", processor_options: {} },
    {
      processor_name: "scitt",
      processor_options: { private_pem_key: "secret:DEMO_KEY", issuer: "https://demo.example.com" },
    },
    { processor_name: "queue_job", processor_options: { queue_name: "rehearsal" } },
  ],
};
