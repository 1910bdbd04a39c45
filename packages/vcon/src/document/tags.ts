import { writeDate } from "./dates.ts";
import { isArray, member, objectsMember, parseJson, stringMember } from "./json.ts";
import type { Attachment, JsonObject, JsonValue, Vcon } from "./types.ts";

/** The tags of a vCon: the strings of every attachment whose purpose (formerly type) is "tags", each once. */
export function readTags(vcon: JsonObject): readonly string[] {
  const all = objectsMember(vcon, "attachments").filter(isTags).flatMap(tagsIn);
  return [...new Set(all)];
}

/**
 * Adds tags, usually `key:value`, to the first tags attachment, or to a new one at the end. Tags that are there already
 * are not added again; when that leaves none, the vCon given comes back.
 *
 * @param options.now for a new attachment, in milliseconds since 1970. Default: the clock
 */
export function addTags(
  vcon: Vcon,
  tags: readonly string[],
  { now = Date.now() }: { readonly now?: number } = {},
): Vcon {
  const present = new Set(readTags(vcon));
  const added = [...new Set(tags)].filter((tag) => !present.has(tag));
  if (added.length === 0) return vcon;
  const attachments = vcon.attachments ?? [];
  const index = attachments.findIndex((attachment) => isTags(attachment) && canGrow(attachment));
  const grown = attachments[index];
  if (grown === undefined) {
    const fresh: Attachment = {
      purpose: "tags",
      start: writeDate(now),
      // They are about the whole. The draft wants every attachment to name a party and a dialog all the same.
      ...(vcon.parties?.length ? { party: 0 } : {}),
      ...(vcon.dialog?.length ? { dialog: 0 } : {}),
      mediatype: "application/json",
      encoding: "json",
      body: added,
    };
    return { ...vcon, attachments: [...attachments, fresh] };
  }
  // Entries that are not strings are somebody's, so they stay.
  const body = [...(listIn(grown) ?? []), ...added];
  return { ...vcon, attachments: attachments.with(index, { ...grown, encoding: "json", body }) };
}

function isTags(attachment: JsonObject): boolean {
  return (stringMember(attachment, "purpose") ?? stringMember(attachment, "type")) === "tags";
}

function canGrow(attachment: JsonObject): boolean {
  return member(attachment, "body") === undefined || listIn(attachment) !== undefined;
}

function tagsIn(attachment: JsonObject): readonly string[] {
  return (listIn(attachment) ?? []).filter((tag) => typeof tag === "string");
}

/** The list, also where it was stored as JSON text. */
function listIn(attachment: JsonObject): readonly JsonValue[] | undefined {
  const body = member(attachment, "body");
  const value = typeof body === "string" ? parseJson(body) : body;
  return isArray(value) ? value : undefined;
}
