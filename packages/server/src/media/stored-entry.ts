import { inlineBytes, type JsonObject } from "@vconductor/vcon";
import type { MediaStore } from "../processors/define.ts";
import { without } from "./vcon-parts.ts";

/**
 * The entry with its inline content in the store, and `url` and `content_hash` in its place. As it was when it has none,
 * or less than `minBytes` of it.
 *
 * @throws VconError invalid_vcon its body is not what its encoding says
 */
export async function storedEntry(
  entry: JsonObject,
  { media, minBytes }: { readonly media: MediaStore; readonly minBytes: number },
): Promise<JsonObject> {
  const bytes = inlineBytes(entry);
  if (bytes === undefined || bytes.length < minBytes) return entry;
  const mediatype = mediatypeOf(entry);
  const { url, contentHash } = await media.put({ bytes, mediatype });
  return { ...without(entry, ["body", "encoding"]), mediatype, url, content_hash: contentHash };
}

/** What the entry says it is, else what its encoding does: it has to be told once the content is elsewhere. */
export function mediatypeOf({ mediatype, encoding }: JsonObject): string {
  if (typeof mediatype === "string" && mediatype !== "") return mediatype;
  if (encoding === "json") return "application/json";
  return encoding === "none" ? "text/plain" : "application/octet-stream";
}
