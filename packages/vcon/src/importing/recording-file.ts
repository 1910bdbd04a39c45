import { encodeBase64url } from "../document/base64url.ts";
import { writeDate } from "../document/dates.ts";
import type { Attachment, Dialog } from "../document/types.ts";
import { mediatypeOf, recordingInfo } from "../media/recording.ts";
import { baseName } from "./text-file.ts";
import { calendarTime } from "./wall-clock.ts";

/** A file as it lies in a folder. */
export interface NamedFile {
  /** Without folders. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface RecordingFile extends NamedFile {
  /** Milliseconds since 1970. Default: what the file says of its making */
  readonly start?: number | undefined;
  /** Indices of parties. */
  readonly parties: readonly number[];
}

/** A recording dialog with the file in it, and when it began, if that can be told. */
export async function recordingDialog({
  name,
  bytes,
  start,
  parties,
}: RecordingFile): Promise<{ readonly dialog: Dialog; readonly start: number | undefined }> {
  const { duration, mediatype, createdAt } = await recordingInfo(bytes, { filename: name });
  const began = calendarTime(start) ?? calendarTime(createdAt);
  const dialog = {
    type: "recording",
    ...(began === undefined ? {} : { start: writeDate(began) }),
    ...(duration === undefined ? {} : { duration }),
    ...(parties.length === 0 ? {} : { parties }),
    mediatype: mediatype ?? "application/octet-stream",
    filename: baseName(name),
    body: encodeBase64url(bytes),
    encoding: "base64url",
  };
  return { dialog, start: began };
}

/** A file of a meeting as attachment: by the first party, to the first dialog. */
export function fileAttachment({ name, bytes }: NamedFile, start: number): Attachment {
  return {
    start: writeDate(start),
    party: 0,
    dialog: 0,
    mediatype: mediatypeOf(name) ?? "application/octet-stream",
    filename: baseName(name),
    body: encodeBase64url(bytes),
    encoding: "base64url",
  };
}
