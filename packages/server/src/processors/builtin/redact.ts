import type { Processor } from "../define.ts";
import { filterProcessor } from "./seal.ts";

/** Redacted copies; the original stays as it is, and the copy is stored as a vCon of its own. */
export const redactProcessors: readonly Processor[] = [
  {
    ...filterProcessor("redact_pii", {
      example: {
        about: "Adds a copy without personal data, the names of the parties included.",
        options: {},
      },
    }),
    name: "redact",
  },
  filterProcessor("jq_redaction", {
    example: {
      about: "Adds a copy that knows no more of the parties than their names.",
      options: { jq_redaction_query: ".parties |= map({name})", redaction_type_label: "addresses" },
    },
  }),
];
