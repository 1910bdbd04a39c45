import { type Turn, UNKNOWN_SPEAKER } from "./transcript.ts";

/** Whose a turn is: the party's index, or the label of a speaker who is no party. */
export type SpeakerKey = number | string;

export function speakerKey(turn: Turn): SpeakerKey {
  return turn.party ?? turn.partyLabel;
}

/** Turns of one speaker with nobody between. */
export interface Run {
  readonly key: SpeakerKey;
  readonly words: number;
  /** Seconds of speech; undefined when none has times. */
  readonly speech: number | undefined;
  /** Seconds from the first word to the last; undefined for text and without times. */
  readonly length: number | undefined;
  /** Seconds since the end of the run before, when that was another's in the same exchange; never below 0. */
  readonly response: number | undefined;
}

/**
 * Groups turns into runs. Speech belongs together within one dialog, written messages across dialogs (each message is
 * a dialog of its own). Utterances of unknown speakers stay single: they may be different people's.
 */
export function runsOf(turns: readonly Turn[]): readonly Run[] {
  const groups: Turn[][] = [];
  for (const turn of turns) {
    const group = groups.at(-1);
    const previous = group?.at(-1);
    const joins =
      previous !== undefined && isKnown(turn) && sameExchange(previous, turn) && sameSpeaker(previous, turn);
    if (joins) group?.push(turn);
    else groups.push([turn]);
  }
  return groups.map((group, index) => toRun(group, groups[index - 1] ?? []));
}

function toRun(group: readonly Turn[], before: readonly Turn[]): Run {
  const [first] = group;
  const speech = group.map((turn) => turn.duration).filter((seconds) => seconds !== undefined);
  return {
    key: first === undefined ? UNKNOWN_SPEAKER : speakerKey(first),
    words: group.reduce((words, turn) => words + countWords(turn.text), 0),
    speech: speech.length === 0 ? undefined : speech.reduce((a, b) => a + b, 0),
    length: speech.length === 0 ? undefined : spanOf(group, speech),
    response: responseOf(first, before.at(-1)),
  };
}

/** Without the time of day the speech itself is the best that can be said. */
function spanOf(group: readonly Turn[], speech: readonly number[]): number {
  const start = group[0]?.start;
  const ends = group.map((turn) => turn.end).filter((end) => end !== undefined);
  if (start === undefined || ends.length === 0) return speech.reduce((a, b) => a + b, 0);
  return (ends.reduce((a, b) => Math.max(a, b)) - start) / 1000;
}

function responseOf(turn: Turn | undefined, before: Turn | undefined): number | undefined {
  if (turn === undefined || before === undefined || !isKnown(turn) || !isKnown(before)) return undefined;
  if (!sameExchange(before, turn) || sameSpeaker(before, turn)) return undefined;
  if (turn.start === undefined || before.end === undefined) return undefined;
  return Math.max(0, turn.start - before.end) / 1000;
}

function isKnown(turn: Turn): boolean {
  return turn.party !== undefined || turn.partyLabel !== UNKNOWN_SPEAKER;
}

function sameSpeaker(a: Turn, b: Turn): boolean {
  return speakerKey(a) === speakerKey(b);
}

function sameExchange(a: Turn, b: Turn): boolean {
  return a.dialog === b.dialog || (a.source === "dialog" && b.source === "dialog");
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((token) => /[\p{L}\p{N}]/u.test(token)).length;
}
