/** What must have come out for a sample. */
export interface Expectation {
  /** The pipelines that it goes through. */
  readonly pipelines: readonly string[];
  readonly tags: readonly string[];
  /** How many recordings were moved out. */
  readonly moved: number;
}

/** The analyses and attachments that every sample gets. */
export const analyses: readonly string[] = ["conversation_stats", "language", "sentiment", "keywords"];
export const attachments: readonly string[] = ["retention", "scitt_statement"];

const quiet = ["insights", "care", "rehearsal"];
const lively = ["insights", "triage", "care", "rehearsal"];

/** By file; a sample that is not named here must have been measured at least. */
export const expectations: Readonly<Record<string, Expectation>> = {
  "support-call.vcon.json": { pipelines: lively, tags: ["measured", "one-sided", "triage"], moved: 1 },
  "team-chat.vcon.json": { pipelines: lively, tags: ["measured", "triage", "slow-answers"], moved: 0 },
  "email-thread.vcon.json": { pipelines: quiet, tags: ["measured"], moved: 0 },
  // Attachments of those days say neither when nor by whom.
  "legacy-call.vcon.json": { pipelines: quiet, tags: ["measured", "validation:failed"], moved: 0 },
  "voicemail.vcon.json": {
    pipelines: lively,
    tags: ["measured", "one-sided", "triage", "call-back"],
    moved: 1,
  },
};
