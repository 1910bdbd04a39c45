import { writeDate } from "../document/dates.ts";
import { VconError } from "../document/errors.ts";
import { isObject, member, objectsMember, parseJson, stringMember } from "../document/json.ts";
import type { Dialog } from "../document/types.ts";
import { fromMessages } from "./chat-messages.ts";
import type { Imported } from "./imported.ts";
import { Merger } from "./merge.ts";
import { fileAttachment, type NamedFile, recordingDialog } from "./recording-file.ts";
import { type Line, readSubtitles, transcriptAnalysis } from "./subtitles.ts";
import { invalidImport, textOf } from "./text-file.ts";
import { namesAmong } from "./transcribed.ts";
import { calendarTime, fromWall, machineZone, type Zone, zoneOf } from "./wall-clock.ts";
import { readZoomChat } from "./zoom-chat.ts";

export interface ZoomOptions {
  /** Of the times in the chat: "Europe/Berlin", "+01:00". Default: this machine's, or one that fits the recording */
  readonly timezone?: string;
  /** Name of the folder, from which date and subject are read: "2026-03-04 10.00.00 Weekly sync". */
  readonly folder?: string;
}

/**
 * Reads the files of a Zoom recording, from the folder on the disk or from the cloud: the video (or else the audio)
 * becomes a recording, messages of the chat text dialogs, the transcript an analysis of the recording, all other files
 * attachments. People who wrote or spoke become parties.
 *
 * @throws VconError invalid_import there is neither a recording nor a chat or transcript
 * @throws VconError invalid_option an unknown time zone
 */
export async function importZoom(
  files: readonly NamedFile[],
  { timezone, folder = "" }: ZoomOptions = {},
): Promise<Imported> {
  const zone = timezone === undefined ? machineZone : zoneOf(timezone);
  const named = folderOf(folder, zone);
  const roles = rolesOf(files);
  const transcripts = await transcriptsOf(roles.transcripts);
  const spoken = transcripts.flatMap(({ lines }) => lines ?? []);
  const names = namesAmong(spoken.flatMap(({ speaker }) => speaker ?? []));
  const parties = [...names.keys()];
  const recordings = await Promise.all(
    roles.recordings.map((file) => recordingDialog({ ...file, start: cloudDate(file.name), parties })),
  );
  // A transcript that came alone is one of a recording that is elsewhere.
  if (recordings.length === 0 && spoken.length > 0) {
    const [first] = transcripts;
    recordings.push(placeholder(cloudDate(first?.file.name ?? "") ?? named.start, parties));
  }
  const start = recordings[0]?.start ?? named.start;
  const length = Math.max(0, ...recordings.map(({ dialog }) => Number(dialog.duration ?? 0))) * 1000;
  const clock = {
    start,
    end: start === undefined ? undefined : start + length,
    zone,
    sure: timezone !== undefined,
  };
  const chats = roles.chats.map((file) => ({ file, messages: readZoomChat(textOf(file.bytes), clock) }));
  const messages = chats.flatMap((chat) => chat.messages);
  if (recordings.length === 0 && messages.length === 0) {
    throw invalidImport(
      "There is neither a recording (mp4, m4a) nor a chat or transcript in this Zoom folder.",
    );
  }
  const others = [
    ...roles.others,
    ...transcripts.flatMap(({ file, lines }) => (lines === undefined ? file : [])),
    ...chats.flatMap((chat) => (chat.messages.length === 0 ? chat.file : [])),
  ];
  const merger = new Merger({ parties: [], dialogs: [], analyses: [], attachments: [] });
  merger.add({
    parties: names.map((name) => ({ name })),
    dialogs: recordings.map(({ dialog }) => dialog),
    analyses: transcripts.flatMap(({ file, lines }) =>
      lines === undefined
        ? []
        : { ...transcriptAnalysis(lines, "zoom"), dialog: recordingFor(file, roles.recordings) },
    ),
    attachments: [],
  });
  merger.add(fromMessages(messages, { application: "Zoom" }));
  const { parties: people, dialogs, analyses } = merger.lists;
  const at = start ?? messages.find((message) => message.at !== undefined)?.at ?? Date.now();
  return {
    ...(named.subject === undefined ? {} : { subject: named.subject }),
    ...(start === undefined ? {} : { createdAt: start }),
    parties: people.length === 0 ? [{}] : people,
    dialogs: withSomebody(dialogs),
    analyses,
    attachments: others.map((file) => fileAttachment(file, at)),
  };
}

interface Transcript {
  readonly file: NamedFile;
  /** Undefined when there is nothing in it: Zoom writes the file even where nobody spoke. */
  readonly lines: readonly Line[] | undefined;
}

function transcriptsOf(files: readonly NamedFile[]): Promise<readonly Transcript[]> {
  return Promise.all(
    files.map(async (file) => ({
      file,
      lines: await readSubtitles(file.bytes).catch((error: unknown) => {
        if (error instanceof VconError) return undefined;
        throw error;
      }),
    })),
  );
}

/** Where a meeting was recorded in several parts, files of the same part have the same date in their names. */
function recordingFor({ name }: NamedFile, recordings: readonly NamedFile[]): number {
  const date = cloudDate(name);
  const same = recordings.findIndex((recording) => date !== undefined && cloudDate(recording.name) === date);
  return Math.max(0, same);
}

function placeholder(
  start: number | undefined,
  parties: readonly number[],
): Awaited<ReturnType<typeof recordingDialog>> {
  const dated = start === undefined ? {} : { start: writeDate(start) };
  return { dialog: { type: "recording", ...dated, ...(parties.length === 0 ? {} : { parties }) }, start };
}

/** A recording of people who are not named is one of party 0, of whom nothing is known. */
function withSomebody(dialogs: readonly Dialog[]): readonly Dialog[] {
  return dialogs.map((dialog) => (dialog.parties === undefined ? { ...dialog, parties: [0] } : dialog));
}

interface Roles {
  readonly recordings: readonly NamedFile[];
  readonly chats: readonly NamedFile[];
  readonly transcripts: readonly NamedFile[];
  readonly others: readonly NamedFile[];
}

/** What is what, by the recording's `.conf` where there is one, else by the names that Zoom gives. */
function rolesOf(files: readonly NamedFile[]): Roles {
  const visible = files.filter(({ name }) => !/^\.|\.conf$/i.test(name));
  const listed = new Set(
    files.filter(({ name }) => /\.conf$/i.test(name)).flatMap(({ bytes }) => listedIn(bytes)),
  );
  const isRecording = ({ name }: NamedFile) => listed.has(name) || /\.(?:mp4|m4a)$/i.test(name);
  const isChat = ({ name }: NamedFile) => /chat.*\.txt$/i.test(name);
  const isTranscript = ({ name }: NamedFile) => /\.(?:vtt|srt)$/i.test(name);
  const all = visible.filter(isRecording);
  const videos = all.filter(({ name }) => /\.mp4$/i.test(name));
  return {
    // The audio says nothing that the video does not.
    recordings: videos.length > 0 ? videos : all,
    chats: visible.filter(isChat),
    transcripts: visible.filter(isTranscript),
    others: visible.filter((file) => !isRecording(file) && !isChat(file) && !isTranscript(file)),
  };
}

function listedIn(conf: Uint8Array): readonly string[] {
  const value = parseJson(textOf(conf));
  if (!isObject(value) || member(value, "items") === undefined) return [];
  return objectsMember(value, "items").flatMap((item) =>
    [stringMember(item, "video"), stringMember(item, "audio")].filter((name) => name !== undefined),
  );
}

/** Files of the cloud are named "GMT20260304-100000_Recording.mp4". */
function cloudDate(name: string): number | undefined {
  const match = /GMT(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return calendarTime(Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second));
}

function folderOf(
  folder: string,
  zone: Zone,
): { readonly start: number | undefined; readonly subject: string | undefined } {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d)\.(\d\d)\.(\d\d) (.*?)(?: \d{9,11})?$/.exec(folder);
  if (match === null) return { start: undefined, subject: undefined };
  const [, date, hour, minute, second, subject = ""] = match;
  const wall = Date.parse(`${date}T${hour}:${minute}:${second}Z`);
  return {
    start: Number.isNaN(wall) ? undefined : calendarTime(fromWall(wall, zone)),
    subject: subject.trim() || undefined,
  };
}
