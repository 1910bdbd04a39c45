import { type ConversationStats, conversationStats } from "../conversation/conversation-stats.ts";
import type { JsonObject } from "../document/types.ts";
import { countText, durationText } from "./show-figures.ts";
import { visible } from "./show-visible.ts";

/** At most so many speakers are named; a large meeting has many who said little. */
const NAMED_SPEAKERS = 5;

/** The figures of a conversation: how much in all, and each one's part of it. Empty without words. */
export function statsFacts(vcon: JsonObject): {
  readonly totals: readonly string[];
  readonly shares: readonly string[];
} {
  const stats = conversationStats(vcon);
  const { turns, words, duration_seconds, overlaps, silence_seconds } = stats.totals;
  if (turns === 0) return { totals: [], shares: [] };
  const totals = [countText(turns, "turn"), countText(words, "word")];
  if (duration_seconds !== null && duration_seconds > 0) totals.push(durationText(duration_seconds));
  if (overlaps !== null && overlaps > 0) totals.push(countText(overlaps, "overlap"));
  if (silence_seconds !== null && silence_seconds > 0)
    totals.push(`${durationText(silence_seconds)} of silence`);
  return { totals, shares: sharesOf(stats) };
}

/** Parts of the time spoken where all have times, else of the words. */
function sharesOf({ parties }: ConversationStats): readonly string[] {
  const speakers = parties.filter((party) => party.turns > 0);
  if (speakers.length < 2) return [];
  const timed = speakers.every(({ talk_seconds }) => talk_seconds !== null);
  const amounts = speakers.map(({ name, talk_seconds, words }) => ({
    name: visible(name),
    amount: timed ? (talk_seconds ?? 0) : words,
  }));
  const all = amounts.reduce((sum, { amount }) => sum + amount, 0);
  if (all === 0) return [];
  const sorted = amounts.toSorted((a, b) => b.amount - a.amount);
  const named = sorted
    .slice(0, NAMED_SPEAKERS)
    .map(({ name, amount }) => `${name} ${Math.round((amount / all) * 100)} %`);
  const rest = sorted.length - named.length;
  const others = rest === 0 ? [] : [countText(rest, "other")];
  const [first = "", ...more] = [...named, ...others];
  return [`${timed ? "talk" : "words"}: ${first}`, ...more];
}
