import { type Dialog, inlineBytes, recordingInfo, verifyContentHash } from "@vconductor/vcon";
import { VconductorError } from "../../errors.ts";
import type { ProcessorContext } from "../define.ts";

export interface Recording {
  readonly bytes: Uint8Array;
  readonly mediatype: string;
  /** Says the kind and nothing else: providers need not know what callers name their files. */
  readonly filename: string;
  /** Undefined when the file does not say. */
  readonly seconds: number | undefined;
  readonly channels: number | undefined;
}

export type FetchRecordingContext = Pick<ProcessorContext, "fetch" | "media" | "log">;

/** Is it a dialog that may have something to transcribe? */
export function isRecording({ type, mediatype, body, url }: Dialog): boolean {
  if (type !== "recording" && type !== "video") return false;
  const content = [body, url].some((value) => typeof value === "string" && value !== "");
  return content && (isUnknown(mediatype) || isMedia(mediatype));
}

/**
 * The recording of a dialog: its body, or what its url gives, from our own media store where it is there. Undefined
 * when it turns out to be neither audio nor video.
 *
 * @throws fetch_refused its url is not to be fetched
 * @throws provider_failed its url does not answer, or with something else than the vCon says
 */
export async function fetchRecording(
  context: FetchRecordingContext,
  { dialog, index }: { readonly dialog: Dialog; readonly index: number },
): Promise<Recording | undefined> {
  const bytes = inlineBytes(dialog) ?? (await externalBytes(context, { dialog, index }));
  if (bytes.length === 0) throw failed(index, "the recording is empty");
  const { filename, mediatype: given } = dialog;
  const info = await recordingInfo(bytes, {
    ...(typeof filename === "string" ? { filename } : {}),
    ...(typeof given === "string" && !isUnknown(given) ? { mediatype: given } : {}),
  });
  const { mediatype, duration, channels } = info;
  if (!isMedia(mediatype)) {
    context.log.warn({ dialog: index, mediatype }, "a recording is neither audio nor video; skipped");
    return undefined;
  }
  const name = `recording.${endingOf(mediatype)}`;
  return { bytes, mediatype, filename: name, seconds: duration, channels };
}

function isUnknown(mediatype: unknown): boolean {
  return typeof mediatype !== "string" || mediatype === "" || mediatype === "application/octet-stream";
}

function isMedia(mediatype: unknown): mediatype is string {
  return typeof mediatype === "string" && /^(?:audio|video)\//i.test(mediatype);
}

async function externalBytes(
  { fetch, media }: FetchRecordingContext,
  { dialog, index }: { readonly dialog: Dialog; readonly index: number },
): Promise<Uint8Array> {
  const url = String(dialog.url);
  const hashes = [dialog.content_hash].flat().filter((hash) => typeof hash === "string");
  const bytes = (await media.get(url)) ?? (await download(fetch, { url, index, hashed: hashes.length > 0 }));
  if (hashes.length > 0) await verifyContentHash(bytes, hashes);
  return bytes;
}

async function download(
  fetch: ProcessorContext["fetch"],
  { url, index, hashed }: { readonly url: string; readonly index: number; readonly hashed: boolean },
): Promise<Uint8Array> {
  // What comes over http may have been changed on its way; the hash would tell.
  if (!/^https:/i.test(url) && !hashed) {
    const text = `dialog ${index}: its url is not https, and without a content_hash nothing else is fetched`;
    throw new VconductorError("fetch_refused", text);
  }
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(index, `its url answered ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

function failed(index: number, what: string): VconductorError {
  return new VconductorError("provider_failed", `dialog ${index}: ${what}`);
}

/** By the subtype without "x-". */
const endings: Readonly<Record<string, string>> = {
  wave: "wav",
  "vnd.wave": "wav",
  mpeg: "mp3",
  mpeg3: "mp3",
  opus: "ogg",
  quicktime: "mp4",
};

function endingOf(mediatype: string): string {
  const [kind = "", subtype = ""] = (mediatype.toLowerCase().split(";")[0] ?? "").trim().split("/");
  const plain = subtype.replace(/^x-/, "");
  if (kind === "audio" && plain === "mp4") return "m4a";
  return endings[plain] ?? (/^[a-z0-9]{2,5}$/.test(plain) ? plain : "bin");
}
