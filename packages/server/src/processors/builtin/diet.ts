import { contentHash, inlineBytes, type JsonObject, type Vcon } from "@vconductor/vcon";
import { Type } from "typebox";
import { storedEntry } from "../../media/stored-entry.ts";
import { type ContentPart, contentParts, mapContent, without } from "../../media/vcon-parts.ts";
import { withoutAttachments } from "../../media/without-attachments.ts";
import { choice } from "../choice.ts";
import { defineProcessor } from "../define.ts";

const fate = (what: string, usual: "keep" | "drop") =>
  choice(["keep", "drop", "move"], {
    title: what,
    description: `What becomes of the content of ${what}: it stays, goes for good, or goes to the media store (MEDIA_STORE).`,
    default: usual,
  });

export const diet = defineProcessor({
  name: "diet",
  title: "Make a vCon small",
  description:
    "Drops recordings and files, or moves them to the media store, and removes analyses and attachments that are no longer " +
    "needed. Who spoke when, and what kind of content there was, stays; of dropped recordings and files so does the hash. Dropped content " +
    "cannot be brought back.",
  version: "1.0.0",
  options: Type.Object({
    dialog_bodies: fate("recordings and other dialogs", "drop"),
    text_dialogs: Type.Boolean({
      title: "text dialogs too?",
      description: "Whether dialog_bodies is meant for what was written as well.",
      default: false,
    }),
    attachment_bodies: fate("attachments", "keep"),
    analysis_bodies: fate("analyses", "keep"),
    analysis_types_to_remove: Type.Array(Type.String(), {
      title: "analyses to remove",
      description: "Types of analyses that go altogether.",
      default: [],
    }),
    attachment_purposes_to_remove: Type.Array(Type.String(), {
      title: "attachments to remove",
      description: "Purposes of attachments that go altogether.",
      default: [],
    }),
    min_bytes: Type.Integer({
      title: "smallest",
      description: "Smaller content stays as it is. In bytes, decoded.",
      minimum: 0,
      default: 0,
    }),
  }),
  example: {
    about: "Drops recordings, and the word by word transcripts of providers.",
    options: { dialog_bodies: "drop", analysis_types_to_remove: ["wtf_transcription"] },
  },
  async process(io, options, context) {
    const fates: Readonly<Record<ContentPart, string>> = {
      dialog: options.dialog_bodies,
      analysis: options.analysis_bodies,
      attachments: options.attachment_bodies,
    };
    const parts = contentParts.filter((part) => fates[part] !== "keep");
    const rest = withoutEntries(io.peekVcon(options.input_vcon_index), options);
    const slim = await mapContent(rest, parts, async (entry, part) => {
      if (part === "dialog" && isText(entry) && !options.text_dialogs) return entry;
      return fates[part] === "move"
        ? await storedEntry(entry, { media: context.media, minBytes: options.min_bytes })
        : await dropped(entry, options.min_bytes);
    });
    io.update(slim);
    return io;
  },
});

function withoutEntries(
  vcon: Vcon,
  {
    analysis_types_to_remove: types,
    attachment_purposes_to_remove: purposes,
  }: {
    readonly analysis_types_to_remove: readonly string[];
    readonly attachment_purposes_to_remove: readonly string[];
  },
): Vcon {
  const analysis = vcon.analysis?.filter(({ type }) => typeof type !== "string" || !types.includes(type));
  const rest = analysis === undefined ? vcon : { ...vcon, analysis };
  return withoutAttachments(rest, ({ purpose, type }) => {
    const name = purpose ?? type;
    return typeof name === "string" && purposes.includes(name);
  });
}

function isText({ type, mediatype }: JsonObject): boolean {
  return type === "text" || (typeof mediatype === "string" && /^(?:text|multipart)\//i.test(mediatype));
}

async function dropped(entry: JsonObject, minBytes: number): Promise<JsonObject> {
  const bytes = inlineBytes(entry);
  if (bytes !== undefined && bytes.length < minBytes) return entry;
  if (bytes === undefined && typeof entry.url !== "string") return entry;
  // Not of text: words that are short can be found again by trying.
  const provable = bytes !== undefined && entry.encoding === "base64url" && !isText(entry);
  const hash = provable ? { content_hash: await contentHash(bytes) } : {};
  return { ...without(entry, ["body", "encoding", "url"]), ...hash };
}
