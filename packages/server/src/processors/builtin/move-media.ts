import { type JsonObject, verifyContentHash } from "@vconductor/vcon";
import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import { mediatypeOf, storedEntry } from "../../media/stored-entry.ts";
import { contentParts, hashTokens, mapContent, without } from "../../media/vcon-parts.ts";
import { choice } from "../choice.ts";
import { defineProcessor, type ProcessorContext } from "../define.ts";

export const moveMedia = defineProcessor({
  name: "move_media",
  title: "Move media",
  description:
    "Takes recordings and files out of the vCon into the media store (MEDIA_STORE), where each is kept once, and leaves " +
    "url and content_hash in their place; or puts them back. What is text stays, unless text is set. " +
    "The addresses begin with MEDIA_URL, which has to be https for readers elsewhere.",
  version: "1.0.0",
  options: Type.Object({
    direction: choice(["out", "in"], {
      title: "direction",
      description: "out: from the vCon to the store; in: back into the vCon.",
      default: "out",
    }),
    parts: Type.Array(choice(contentParts, { title: "part", description: "A list of the vCon." }), {
      title: "parts",
      description: "Whose content is moved.",
      default: ["dialog", "attachments"],
    }),
    min_bytes: Type.Integer({
      title: "smallest",
      description: "out: smaller content stays where it is. In bytes, decoded.",
      minimum: 0,
      default: 0,
    }),
    text: Type.Boolean({
      title: "text too?",
      description:
        "out: whether text and JSON are moved as well; in pipelines they can then not be read any more.",
      default: false,
    }),
    foreign: Type.Boolean({
      title: "from elsewhere too?",
      description:
        "in: whether content with a content_hash is also fetched from addresses that are not of our store.",
      default: false,
    }),
  }),
  example: { about: "Moves recordings and files of 100 kB or more out.", options: { min_bytes: 100_000 } },
  async process(io, options, context) {
    const { direction, parts, input_vcon_index } = options;
    const change = (entry: JsonObject) =>
      direction === "out"
        ? movedOut(entry, { ...options, context })
        : movedIn(entry, { ...options, context });
    io.update(await mapContent(io.peekVcon(input_vcon_index), parts, change));
    return io;
  },
});

async function movedOut(
  entry: JsonObject,
  {
    min_bytes,
    text,
    context,
  }: { readonly min_bytes: number; readonly text: boolean; readonly context: ProcessorContext },
): Promise<JsonObject> {
  if (!text && entry.encoding !== "base64url") return entry;
  return await storedEntry(entry, { media: context.media, minBytes: min_bytes });
}

async function movedIn(
  entry: JsonObject,
  { foreign, context }: { readonly foreign: boolean; readonly context: ProcessorContext },
): Promise<JsonObject> {
  const { url } = entry;
  const hashes = hashTokens(entry);
  if (typeof url !== "string" || url === "" || hashes.length === 0) return entry;
  const own = await context.media.get(url);
  if (own === undefined && !foreign) return entry;
  const bytes = own ?? (await download(context.fetch, url));
  await verifyContentHash(bytes, hashes);
  const mediatype = mediatypeOf(entry);
  return { ...without(entry, ["url", "content_hash"]), mediatype, ...inlineBody(bytes, mediatype) };
}

/** Also over http: the hash tells whether it was changed on its way. */
async function download(fetch: ProcessorContext["fetch"], url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  await response.body?.cancel();
  throw new VconductorError("provider_failed", `${URL.parse(url)?.host} answered ${response.status}`);
}

/** Text and JSON become readable again; everything else is base64url. */
function inlineBody(bytes: Uint8Array, mediatype: string): JsonObject {
  const text = /^(?:text\/|application\/json\b)/i.test(mediatype) ? decoded(bytes) : undefined;
  if (text === undefined) return { encoding: "base64url", body: Buffer.from(bytes).toString("base64url") };
  if (!/json/i.test(mediatype)) return { encoding: "none", body: text };
  try {
    return { encoding: "json", body: JSON.parse(text) };
  } catch {
    return { encoding: "none", body: text };
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
