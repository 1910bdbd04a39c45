const count = { type: "integer", minimum: 0 } as const;
const seconds = { type: ["number", "null"], minimum: 0 } as const;

const party = {
  type: "object",
  additionalProperties: false,
  required: [
    "party",
    "name",
    "turns",
    "words",
    "talk_seconds",
    "longest_monologue_seconds",
    "longest_monologue_words",
    "median_response_seconds",
  ],
  properties: {
    party: {
      type: ["integer", "null"],
      description: "Index into parties; null for a speaker who is none of them.",
    },
    name: { type: "string" },
    turns: { ...count, description: "Stretches of speech or writing with nobody between." },
    words: count,
    talk_seconds: { ...seconds, description: "Seconds of speech; null without times." },
    longest_monologue_seconds: {
      ...seconds,
      description: "The longest turn, first word to last; null without times.",
    },
    longest_monologue_words: { ...count, description: "The most words in one turn." },
    median_response_seconds: {
      ...seconds,
      description:
        "Median time from the end of somebody else's turn to the start of theirs; null if there was none.",
    },
  },
} as const;

const totals = {
  type: "object",
  additionalProperties: false,
  required: ["turns", "words", "duration_seconds", "overlaps", "overlap_seconds", "silence_seconds"],
  properties: {
    turns: count,
    words: count,
    duration_seconds: { ...seconds, description: "From the first start to the last end, over all dialogs." },
    overlaps: { type: ["integer", "null"], minimum: 0, description: "How often two or more spoke at once." },
    overlap_seconds: { ...seconds, description: "Seconds in which two or more spoke at once." },
    silence_seconds: {
      ...seconds,
      description: "Seconds in which nobody spoke, first to last word of each recording.",
    },
  },
} as const;

/** JSON Schema (2020-12) of what `conversationStats` gives. */
export const conversationStatsSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Conversation statistics",
  type: "object",
  additionalProperties: false,
  required: ["parties", "totals", "dialogs"],
  properties: {
    parties: { type: "array", items: party },
    totals,
    dialogs: {
      type: "object",
      additionalProperties: false,
      required: ["total", "with_text"],
      properties: {
        total: count,
        with_text: { ...count, description: "Dialogs with words that could be read." },
      },
    },
  },
} as const;
