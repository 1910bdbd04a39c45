import { type Analysis, conversationStats, type JsonValue, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { defineProcessor } from "../define.ts";

/** What marks our analysis among others of its type; `schema` names the documented shape of its body. */
const mark = {
  type: "conversation_stats",
  vendor: "vConductor",
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
  process(io, { input_vcon_index }) {
    io.update(withStats(io.peekVcon(input_vcon_index)));
    return io;
  },
});

function withStats(vcon: Vcon): Vcon {
  const analysis = vcon.analysis ?? [];
  const earlier = analysis.findIndex(isOurs);
  const stats = statsOf(vcon);
  if (stats === undefined && earlier < 0) return vcon;
  const others = analysis.filter((entry) => !isOurs(entry));
  const next =
    stats === undefined ? others : others.toSpliced(earlier < 0 ? others.length : earlier, 0, stats);
  return { ...vcon, analysis: next };
}

/** Undefined when there are no words to count. */
function statsOf(vcon: Vcon): Analysis | undefined {
  const stats = conversationStats(vcon);
  if (stats.totals.turns === 0) return undefined;
  const body: JsonValue = JSON.parse(JSON.stringify(stats));
  const dialog = [...(vcon.dialog ?? []).keys()];
  const { type, ...names } = mark;
  return { type, dialog, ...names, mediatype: "application/json", encoding: "json", body };
}

function isOurs(entry: Analysis): boolean {
  return entry.type === mark.type && entry.vendor === mark.vendor && entry.product === mark.product;
}
