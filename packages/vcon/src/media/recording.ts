import type { IFormat } from "music-metadata";
import { decodeUtf8 } from "../document/base64url.ts";
import { plausibleSeconds } from "../document/dates.ts";

/** What a recording's file says about itself. */
export interface RecordingInfo {
  /** Seconds, to the millisecond. */
  readonly duration: number | undefined;
  readonly channels: number | undefined;
  /** As vCons name it, for example "audio/x-wav". */
  readonly mediatype: string | undefined;
  /** When it was made, in milliseconds since 1970, where the file says so. */
  readonly createdAt: number | undefined;
}

/**
 * Reads length, channels and kind of a recording from the file itself: wav, mp3, m4a, mp4 and mov, ogg, webm, flac and
 * what else `music-metadata` knows. A file it does not understand gives no answers, never an error.
 *
 * @param filename helps where the bytes alone do not tell; names are often wrong, so the bytes go first. Of the kind,
 * though, it has the last word.
 */
export async function recordingInfo(
  bytes: Uint8Array,
  { filename, mediatype }: { readonly filename?: string; readonly mediatype?: string } = {},
): Promise<RecordingInfo> {
  const known = mediatype ?? mediatypeOf(filename ?? "");
  const format = (await formatOf(bytes)) ?? (await formatOf(bytes, hint(bytes, known)));
  if (format === undefined) {
    return { duration: undefined, channels: undefined, mediatype: known, createdAt: undefined };
  }
  const { duration = longest(format), numberOfChannels } = format;
  return {
    duration: rounded(plausibleSeconds(duration)),
    channels: numberOfChannels,
    // The name ".webm" does not tell whether there is a picture.
    mediatype: mediatype ?? (known === "video/webm" ? byContainer(format) : known) ?? byContainer(format),
    createdAt: madeAt(format.creationTime),
  };
}

/** What a parser says: by the bytes, or by a media type that tells which parser to take. */
async function formatOf(bytes: Uint8Array, mimeType?: string): Promise<IFormat | undefined> {
  const { parseBuffer } = await import("music-metadata");
  try {
    const info = { size: bytes.length, ...(mimeType === undefined ? {} : { mimeType }) };
    return (await parseBuffer(bytes, info, { duration: true, skipCovers: true })).format;
  } catch {
    return undefined;
  }
}

/** The file format of QuickTime is the one that became MP4, but the library knows it by that name only. */
function hint(bytes: Uint8Array, mediatype: string | undefined): string | undefined {
  const quicktime = decodeUtf8(bytes.subarray(4, 10)) === "ftypqt";
  return quicktime || mediatype === "video/quicktime" ? "video/mp4" : mediatype;
}

/** QuickTime files have it by track only. */
function longest({ trackInfo }: IFormat): number | undefined {
  const durations = trackInfo.flatMap(({ duration }) => plausibleSeconds(duration) ?? []);
  return durations.reduce<number | undefined>((most, each) => Math.max(most ?? 0, each), undefined);
}

function rounded(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000) / 1000;
}

/** Many programs leave the field at zero, which is 1904 for MP4. */
const EARLIEST = Date.UTC(1990, 0);

function madeAt(date: Date | undefined): number | undefined {
  const time = date?.getTime() ?? Number.NaN;
  return time > EARLIEST ? time : undefined;
}

const byExtension = new Map([
  ["txt", "text/plain"],
  ["text", "text/plain"],
  ["html", "text/html"],
  ["csv", "text/csv"],
  ["vtt", "text/vtt"],
  ["json", "application/json"],
  ["pdf", "application/pdf"],
  ["eml", "message/rfc822"],
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["wav", "audio/x-wav"],
  ["mp3", "audio/x-mp3"],
  ["m4a", "audio/x-m4a"],
  ["ogg", "audio/ogg"],
  ["oga", "audio/ogg"],
  ["opus", "audio/ogg"],
  ["flac", "audio/flac"],
  ["weba", "audio/webm"],
  ["webm", "video/webm"],
  ["mp4", "video/x-mp4"],
  ["mov", "video/quicktime"],
  ["ogv", "video/ogg"],
]);

/** The media type that a file's name tells, as the reference and the draft spell it; undefined for others. */
export function mediatypeOf(filename: string): string | undefined {
  return byExtension.get(filename.slice(filename.lastIndexOf(".") + 1).toLowerCase());
}

function byContainer({
  container = "",
  hasVideo,
}: {
  readonly container?: string;
  readonly hasVideo?: boolean;
}) {
  const name = container.toLowerCase();
  const kind = hasVideo ? "video" : "audio";
  if (name.startsWith("wav")) return "audio/x-wav";
  if (name === "qt") return "video/quicktime";
  if (name === "mpeg") return "audio/x-mp3";
  if (name.startsWith("ogg")) return `${kind}/ogg`;
  if (/matroska|webm/.test(name)) return `${kind}/webm`;
  if (/m4a|mp4|isom|mp42|m4v/.test(name)) return hasVideo ? "video/x-mp4" : "audio/x-mp4";
  return name === "flac" ? "audio/flac" : undefined;
}
