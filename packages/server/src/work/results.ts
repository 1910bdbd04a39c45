import type { MediaStore } from "../processors/define.ts";

/** A larger one is kept in the media store, with a pointer to it in the database. */
const mostInlineBytes = 64 * 1024;
const mark = "$kept";

/** What the database holds of a JSON value: the value itself, or where it is kept. */
export async function keepResult(media: MediaStore, value: unknown): Promise<unknown> {
  const text = JSON.stringify(value ?? null);
  const bytes = Buffer.from(text);
  // One that looks like a pointer is kept by one.
  if (bytes.length <= mostInlineBytes && !isPointer(value) && isStorable(text)) return value ?? null;
  const { url, contentHash } = await media.put({ bytes, mediatype: "application/json" });
  return { [mark]: { url, content_hash: contentHash, size: bytes.length } };
}

/** The value that `keepResult` was given. @throws Error it is not in the media store any more */
export async function readResult(media: Pick<MediaStore, "get">, held: unknown): Promise<unknown> {
  if (!isPointer(held)) return held;
  const { url } = held[mark];
  const bytes = await media.get(url);
  if (bytes === undefined) throw new Error(`the result that was kept as ${url} is not in the media store`);
  return JSON.parse(Buffer.from(bytes).toString());
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
