/** Its copies of a conversation are the vCons 1 to 4. */
export const copies = {
  pipeline_options: { label: "Copies to give away" },
  processors: [
    { processor_name: "redact", processor_options: { uuid_domain: "demo.example.com" } },
    {
      processor_name: "text_pii_redactor",
      processor_options: {
        redaction_type_label: "personal data",
        jq_redaction_query:
          '{vcon, created_at, parties: (.parties | map({})), dialog: [.dialog[] | {type, start, parties} | del(.[] | nulls)], analysis: [.analysis[] | select(.type == "transcript-redacted")]}',
      },
    },
    {
      processor_name: "jq_redaction",
      processor_options: {
        redaction_type_label: "addresses",
        jq_redaction_query: ".parties |= map({name} | del(.[] | nulls))",
      },
    },
    { processor_name: "create_amended", processor_options: {} },
  ],
};

export const rehearsal = {
  pipeline_options: {
    label: "Rehearse giving away",
    notes:
      "Makes redacted and amended copies, seals one and opens it again. It fails unless all went well, and saves nothing (save_vcons).",
    save_vcons: false,
    timeout: 60,
  },
  processors: [
    {
      processor_name: "condition",
      processor_options: { label: "a conversation?", jq_condition: ".vcons[0].parties | length > 1" },
    },
    { processor_name: "sampler", processor_options: { percent: 100 } },
    { processor_name: "call_pipeline", processor_options: { pipeline: "copies" } },
    {
      processor_name: "sign",
      processor_options: {
        input_vcon_index: 1,
        private_pem_key: "secret:DEMO_KEY",
        cert_chain_pems: ["secret:DEMO_CERTIFICATE", "secret:DEMO_INTERMEDIATE"],
      },
    },
    {
      processor_name: "encrypt",
      processor_options: { input_vcon_index: 1, public_pem_key: "secret:DEMO_CERTIFICATE" },
    },
    {
      processor_name: "decrypt",
      processor_options: { input_vcon_index: 1, private_pem_key: "secret:DEMO_KEY" },
    },
    {
      processor_name: "verify",
      processor_options: { input_vcon_index: 1, allowed_ca_cert_pems: ["secret:DEMO_CA"] },
    },
    {
      processor_name: "condition",
      processor_options: {
        label: "as it should be?",
        jq_condition:
          ".vcons | .[0].uuid as $uuid | length == 5 and all(.[1:4][]; .redacted.uuid == $uuid) and .[4].amended.uuid == $uuid",
        otherwise: "fail",
        message: "the copies are not what they should be",
      },
    },
  ],
};
