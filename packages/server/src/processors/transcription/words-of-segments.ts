import type { NormalSegment, NormalWord } from "../../providers/transcription/transcriber.ts";

/**
 * For each segment the indices of its words, by time and channel: a word belongs to the last segment that began
 * before the word's middle. Both lists are in order of time.
 */
export function wordsOfSegments(
  segments: readonly NormalSegment[],
  words: readonly NormalWord[],
): readonly (readonly number[])[] {
  const members: number[][] = segments.map(() => []);
  for (const channel of new Set(segments.map((segment) => segment.channel))) {
    const own = [...segments.keys()].filter((index) => segments[index]?.channel === channel);
    let at = 0;
    for (const [index, word] of words.entries()) {
      if (word.channel !== channel) continue;
      const middle = (word.start + word.end) / 2;
      while (at + 1 < own.length && (segments[own[at + 1] ?? 0]?.start ?? 0) <= middle) at += 1;
      members[own[at] ?? 0]?.push(index);
    }
  }
  return members;
}
