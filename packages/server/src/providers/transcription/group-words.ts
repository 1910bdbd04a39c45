import { mean } from "./read-answer.ts";
import type { NormalSegment, NormalWord } from "./transcriber.ts";

/** A pause, in seconds, that ends a segment though the same voice goes on. */
const PAUSE = 2;

/** Words of one channel, in order, as segments: a new one at a pause and with every change of the voice. */
export function groupWords(words: readonly NormalWord[]): readonly NormalSegment[] {
  const groups: NormalWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const goesOn = last !== undefined && last.speaker === word.speaker && word.start - last.end < PAUSE;
    if (group !== undefined && goesOn) group.push(word);
    else groups.push([word]);
  }
  return groups.flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { start, speaker, channel } = first;
    const text = group.map((word) => word.text).join(" ");
    const confidence = mean(group.map((word) => word.confidence));
    return [{ text, start, end: group.at(-1)?.end ?? first.end, confidence, speaker, channel }];
  });
}
