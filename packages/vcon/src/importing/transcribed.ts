import { writeDate } from "../document/dates.ts";
import { readable } from "../document/parties.ts";
import type { Analysis } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { calendarTime } from "./wall-clock.ts";

export interface TranscribedOptions {
  /** The dialog of the vCon (its index) that this is the transcript of. Default: a recording without content is made. */
  readonly dialog?: number;
  /** When that recording began, in milliseconds since 1970. */
  readonly start?: number;
}

/** Names that only number the voices. */
const NUMBERED = /^(?:(?:speaker|spk|voice|unknown)[ _-]?)?(?:\d+|[a-z])?$/i;

/**
 * A transcript with the recording that it belongs to. Who is named in it becomes a party, unless the recording is in
 * the vCon already: then its parties are there too.
 */
export function withRecording(
  analysis: Analysis,
  {
    speakers,
    dialog,
    start: given,
    duration,
  }: TranscribedOptions & { readonly speakers: readonly string[]; readonly duration?: number },
): Imported {
  const start = calendarTime(given);
  const names = dialog === undefined ? namesAmong(speakers) : [];
  return {
    ...(start === undefined ? {} : { createdAt: start }),
    ...(dialog === undefined ? {} : { onto: dialog }),
    parties: names.map((name) => ({ name })),
    dialogs: [
      {
        type: "recording",
        ...(start === undefined ? {} : { start: writeDate(start) }),
        ...(duration === undefined ? {} : { duration }),
        ...(names.length === 0 ? {} : { parties: [...names.keys()] }),
      },
    ],
    analyses: [{ ...analysis, dialog: 0 }],
    attachments: [],
  };
}

/** The real names in order of appearance, each once, whatever its case. */
export function namesAmong(speakers: readonly string[]): readonly string[] {
  const names = new Map<string, string>();
  for (const name of speakers.map(readable)) {
    const key = name.toLowerCase();
    if (!NUMBERED.test(name) && !names.has(key)) names.set(key, name);
  }
  return [...names.values()];
}
