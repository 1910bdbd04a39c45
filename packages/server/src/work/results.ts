import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import type { MediaStore } from "../processors/define.ts";

/** A larger one is kept in the media store, with a pointer to it in the database. */
const mostInlineBytes = 64 * 1024;
const mark = "$kept";

/** What the database holds of a JSON value: the value itself, or where it is kept. @param media asked for if need be */
export async function keepResult(media: () => Promise<MediaStore>, value: unknown): Promise<unknown> {
  const text = JSON.stringify(value ?? null);
  const bytes = Buffer.from(text);
  // One that looks like a pointer is kept by one.
  if (bytes.length <= mostInlineBytes && !isPointer(value) && isStorable(text)) return value ?? null;
  const { url, contentHash } = await (await media()).put({ bytes, mediatype: "application/json" });
  return { [mark]: { url, content_hash: contentHash, size: bytes.length } };
}

/** The value that `keepResult` was given. @throws not_found it is not in the media store any more */
export async function readResult(media: Pick<MediaStore, "get">, held: unknown): Promise<JsonValue> {
  if (!isPointer(held)) return isJson(held) ? held : null;
  const { url } = held[mark];
  const bytes = await media.get(url);
  if (bytes === undefined) {
    throw new VconductorError("not_found", `the result that was kept as ${url} is not in the media store`);
  }
  return JSON.parse(Buffer.from(bytes).toString());
}

/** Whatever the database gave is JSON, unless it is nothing. */
function isJson(held: unknown): held is JsonValue {
  return held !== undefined;
}

/** PostgreSQL's JSON has no NUL character and no half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !/\\u(?:0000|d[89a-f])/i.test(text);
}

function isPointer(value: unknown): value is { readonly [mark]: { readonly url: string } } {
  if (typeof value !== "object" || value === null || !(mark in value)) return false;
  const pointer = value[mark];
  return (
    typeof pointer === "object" && pointer !== null && "url" in pointer && typeof pointer.url === "string"
  );
}
