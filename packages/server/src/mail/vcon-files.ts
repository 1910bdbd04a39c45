import { contentBytes, type JsonObject, mediatypeOf, verifyContentHash } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import type { ProcessorContext } from "../processors/define.ts";
import type { ProcessorIO } from "../processors/io.ts";
import type { MailFile } from "./compose.ts";

/** What of a vCon to attach: all of it as JSON, or the content of one entry, or of all that have content. */
export interface WantedFile {
  readonly part: "vcon" | "dialog" | "analysis" | "attachments";
  /** Default: every entry of the part that has content. */
  readonly index?: number;
}

type FileContext = Pick<ProcessorContext, "fetch" | "media" | "signal">;

/** Mail servers take about half of this. */
const MAX_BYTES = 50 * 1024 * 1024;

/**
 * Files made of the vCon at `vconIndex`. Content that is kept elsewhere is fetched, and checked against its hash.
 *
 * @throws invalid_options an entry is not there
 * @throws invalid_vcon_state it cannot be read
 * @throws too_large all of it together
 */
export async function filesOfVcon(
  { io, vconIndex }: { readonly io: ProcessorIO; readonly vconIndex: number },
  wanted: readonly WantedFile[],
  context: FileContext,
): Promise<readonly MailFile[]> {
  const files: MailFile[] = [];
  let total = 0;
  for (const { part, index } of wanted) {
    const sources = part === "vcon" ? [] : entriesOf({ io, vconIndex }, part, index);
    if (part === "vcon") files.push(wholeVcon(io, vconIndex));
    for (const [at, entry] of sources) {
      files.push(await fileOf(entry, { fallback: `${part}-${at}`, context, room: MAX_BYTES - total }));
    }
    total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (total > MAX_BYTES) throw new VconductorError("too_large", "attachments: more than 50 MiB together");
  }
  return files;
}

function wholeVcon(io: ProcessorIO, index: number): MailFile {
  return {
    filename: safeFilename(`${io.uuid(index)}.vcon.json`, "vcon.json"),
    mediatype: "application/vcon",
    bytes: new TextEncoder().encode(JSON.stringify(io.peek(index))),
  };
}

function entriesOf(
  { io, vconIndex }: { readonly io: ProcessorIO; readonly vconIndex: number },
  part: "dialog" | "analysis" | "attachments",
  index: number | undefined,
): readonly (readonly [number, JsonObject])[] {
  const entries: readonly JsonObject[] = io.content(vconIndex)[part] ?? [];
  if (index === undefined) return [...entries.entries()].filter(([, entry]) => hasContent(entry));
  const entry = entries[index];
  if (entry !== undefined) return [[index, entry]];
  const text = `attachments: the vCon has no ${part} ${index}, it has ${entries.length} (the first is 0)`;
  throw new VconductorError("invalid_options", text);
}

function hasContent({ body, url }: JsonObject): boolean {
  return (body !== undefined && body !== null && body !== "") || typeof url === "string";
}

async function fileOf(
  entry: JsonObject,
  { fallback, context, room }: { fallback: string; context: FileContext; room: number },
): Promise<MailFile> {
  const mediatype = mediatypeFor(entry);
  const named = `${fallback}.${extensionOf(mediatype)}`;
  const bytes = (await kept(entry, context)) ?? (await contentBytes(entry, { ...context, maxBytes: room }));
  return { filename: safeFilename(entry.filename, named), mediatype, bytes };
}

/** From the server's own store, which no fetch reaches. */
async function kept({ url, content_hash, body }: JsonObject, { media }: FileContext) {
  if (typeof url !== "string" || (body !== undefined && body !== null && body !== "")) return undefined;
  const bytes = await media.get(url);
  const tokens = [content_hash].flat().filter((token) => typeof token === "string");
  if (bytes !== undefined && tokens.length > 0) await verifyContentHash(bytes, tokens);
  return bytes;
}

/** Without parameters; what is itself made of parts (e-mails) would be read as parts of this mail. */
function mediatypeFor({ mediatype, filename, body, encoding }: JsonObject): string {
  const given = typeof mediatype === "string" ? mediatype.split(";")[0]?.trim().toLowerCase() : undefined;
  const byName = typeof filename === "string" ? mediatypeOf(filename) : undefined;
  const byBody = encoding === "json" || typeof body === "object" ? "application/json" : undefined;
  const found = given || byName || byBody || (encoding === "none" ? "text/plain" : "");
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(found) || /^(?:multipart|message)\//.test(found)) {
    return "application/octet-stream";
  }
  return found.startsWith("text/") && encoding !== "base64url" ? `${found}; charset=utf-8` : found;
}

const extensions = "txt html csv vtt json pdf png jpg gif wav mp3 m4a ogg flac webm mp4 mov".split(" ");

function extensionOf(mediatype: string): string {
  const plain = (type: string) => type.replace("/x-", "/").replace("audio/mpeg", "audio/mp3");
  const wanted = plain(mediatype.split(";")[0] ?? "");
  return extensions.find((extension) => plain(mediatypeOf(`x.${extension}`) ?? "") === wanted) ?? "bin";
}

/** No folders, no control characters, nothing that hides a file or that a shell would read. */
function safeFilename(given: unknown, fallback: string): string {
  const last = typeof given === "string" ? (given.split(/[/\\]/).at(-1) ?? "") : "";
  const clean = last.replaceAll(/[^\p{L}\p{M}\p{N} ._()+-]/gu, "_").slice(-100);
  return clean.replace(/^[. ]+/, "").trim() || fallback;
}
