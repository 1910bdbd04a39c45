import { speakerKey } from "./runs.ts";
import type { Turn } from "./transcript.ts";

interface Speech {
  readonly overlaps: number | null;
  readonly overlap_seconds: number | null;
  readonly silence_seconds: number | null;
}

/** Overlaps and silence of all recordings whose speech has times; see `ConversationTotals`. */
export function countSpeech(turns: readonly Turn[]): Speech {
  const recordings = Map.groupBy(turns.filter(isTimed), (turn) => turn.dialog);
  if (recordings.size === 0) return { overlaps: null, overlap_seconds: null, silence_seconds: null };
  const counts = [...recordings.values()].map(sweep);
  return {
    overlaps: counts.reduce((all, { overlaps }) => all + overlaps, 0),
    overlap_seconds: counts.reduce((all, { overlapMs }) => all + overlapMs, 0) / 1000,
    silence_seconds: counts.reduce((all, { silenceMs }) => all + silenceMs, 0) / 1000,
  };
}

type TimedTurn = Turn & { readonly start: number; readonly end: number };

function isTimed(turn: Turn): turn is TimedTurn {
  return (
    turn.source !== "dialog" && turn.start !== undefined && turn.end !== undefined && turn.end > turn.start
  );
}

/** Walks through one recording from change to change, with the number of utterances each speaker has open. */
function sweep(turns: readonly TimedTurn[]): { overlaps: number; overlapMs: number; silenceMs: number } {
  const changes = turns.flatMap((turn) => [
    { time: turn.start, by: 1, key: speakerKey(turn) },
    { time: turn.end, by: -1, key: speakerKey(turn) },
  ]);
  // At the same moment ends come first: speech that only touches does not overlap.
  changes.sort((a, b) => a.time - b.time || a.by - b.by);
  const open = new Map<string | number, number>();
  let [overlaps, overlapMs, silenceMs] = [0, 0, 0];
  let previous = changes[0]?.time ?? 0;
  for (const { time, by, key } of changes) {
    if (open.size >= 2) overlapMs += time - previous;
    if (open.size === 0) silenceMs += time - previous;
    const speaking = open.size;
    const count = (open.get(key) ?? 0) + by;
    if (count > 0) open.set(key, count);
    else open.delete(key);
    if (speaking === 1 && open.size === 2) overlaps += 1;
    previous = time;
  }
  return { overlaps, overlapMs, silenceMs };
}
