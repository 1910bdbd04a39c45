import { conversationStats, type JsonValue, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";
import { withOwnAnalysis } from "../own-analysis.ts";

const mark = {
  type: "conversation_stats",
  product: "conversation_stats",
  schema: "conversation_stats/1",
} as const;

export const conversationStatsProcessor = defineProcessor({
  name: "conversation_stats",
  title: "Conversation statistics",
  description:
    "Counts, per party and in all: turns, words, talk time, overlaps, longest monologue, response times, from " +
    "transcripts and text dialogs. The figures become an analysis of type conversation_stats, in place of the one " +
    "of an earlier run. A conversation without any words to count gets none, and loses an earlier one.",
  version: "1.0.0",
  options: Type.Object({}),
  example: { about: "Adds the figures.", options: {} },
  process(io, { input_vcon_index }) {
    const vcon = io.peekVcon(input_vcon_index);
    io.update(withOwnAnalysis(vcon, { mark, body: statsOf(vcon) }));
    return io;
  },
});

/** Undefined when there are no words to count. */
function statsOf(vcon: Vcon): JsonValue | undefined {
  const stats = conversationStats(vcon);
  return stats.totals.turns === 0 ? undefined : JSON.parse(JSON.stringify(stats));
}
