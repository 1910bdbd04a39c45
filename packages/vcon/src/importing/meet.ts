import { writeDate } from "../document/dates.ts";
import { readable } from "../document/parties.ts";
import { fromMessages } from "./chat-messages.ts";
import type { Imported } from "./imported.ts";
import { Merger } from "./merge.ts";
import { type NamedFile, recordingDialog } from "./recording-file.ts";
import { invalidImport, textOf } from "./text-file.ts";
import { calendarTime } from "./wall-clock.ts";

export interface MeetFiles {
  /** The recording, by the name that Meet gave it: it tells subject and start. */
  readonly recording: NamedFile;
  /** The chat that Meet saved beside it. */
  readonly chat?: NamedFile;
  /** When the recording was last changed, in milliseconds since 1970: its start where nothing else tells that. */
  readonly modifiedAt?: number;
}

/**
 * Reads a Google Meet recording and its chat: a recording dialog, and a text dialog per message.
 *
 * @throws VconError invalid_import the recording is no MP4 file
 */
export async function importMeet({ recording, chat, modifiedAt }: MeetFiles): Promise<Imported> {
  if (!isMp4(recording.bytes))
    throw invalidImport(`${readable(recording.name)} is no MP4 file, which recordings of Meet are.`);
  const { subject, start: named } = readName(recording.name);
  const messages = chat === undefined ? [] : readChat(textOf(chat.bytes));
  const { dialog, start = calendarTime(modifiedAt) } = await recordingDialog({
    ...recording,
    start: named,
    parties: [],
  });
  const merger = new Merger({ parties: [], dialogs: [], analyses: [], attachments: [] });
  merger.add(
    fromMessages(
      messages.map(({ offset, ...message }) => ({
        ...message,
        at: start === undefined ? undefined : start + offset,
      })),
      { application: "Google Meet" },
    ),
  );
  const { parties, dialogs } = merger.lists;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(start === undefined ? {} : { createdAt: start }),
    parties: parties.length === 0 ? [{}] : parties,
    dialogs: [
      {
        ...dialog,
        ...(start === undefined ? {} : { start: writeDate(start) }),
        parties: parties.length === 0 ? [0] : [...parties.keys()],
      },
      ...dialogs,
    ],
    analyses: [],
    attachments: [],
  };
}

export function isMp4(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(4, 8)) === "ftyp";
}

/** "Weekly sync (2026-03-04 at 10:02 GMT-8) (abcd).mp4" */
const NAME =
  /^(.*?)[ _-]*\((\d{4}-\d\d-\d\d)(?: at)?[ _](\d{1,2})[:_.](\d\d) GMT(?:([+-])(\d{1,2})(?::?(\d\d))?)?\)/;

export function isMeetName(name: string): boolean {
  return exec(name) !== null;
}

/** The pattern's title is without bounds, so what it searches needs some. */
const LONGEST_NAME = 300;

function exec(name: string): RegExpExecArray | null {
  return NAME.exec(name.slice(0, LONGEST_NAME));
}

function readName(name: string): { readonly subject?: string; readonly start: number | undefined } {
  const match = exec(name);
  if (match === null) return { start: undefined };
  const [, title = "", date, hour = "", minute, sign = "+", hours = "0", minutes = "0"] = match;
  const wall = Date.parse(`${date}T${hour.padStart(2, "0")}:${minute}:00Z`);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === "-" ? -1 : 1);
  const start = Number.isNaN(wall) ? undefined : wall - ahead;
  return title === "" ? { start } : { subject: title, start };
}

interface Said {
  /** Milliseconds since the recording began. */
  readonly offset: number;
  readonly sender: string | undefined;
  readonly text: string;
}

const TIMES = /^(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,3}))?,\d{1,2}:\d\d:\d\d(?:[.,]\d{1,3})?$/;

/** Blocks of a line "h:m:s,h:m:s", from when to when, and lines "name: text". */
function readChat(text: string): readonly Said[] {
  return text.split(/\r?\n[ \t]*\r?\n/).flatMap((block) => {
    const [times = "", ...lines] = block.trim().split(/\r?\n/);
    const match = TIMES.exec(times.trim());
    const said = lines.join("\n").trim();
    if (match === null || said === "") return [];
    const [, hours, minutes, seconds, fraction = "0"] = match;
    const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    const offset = whole * 1000 + Number(fraction.padEnd(3, "0"));
    const named = /^([^:\n]{1,200}):\s*([\s\S]*)$/.exec(said);
    return [{ offset, sender: named?.[1]?.trim(), text: named?.[2] ?? said }];
  });
}
