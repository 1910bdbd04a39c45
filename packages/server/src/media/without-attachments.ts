import type { Analysis, Attachment, JsonValue, Vcon } from "@vconductor/vcon";

/**
 * A copy without the attachments that `gone` picks. Analyses name attachments by their place: those references follow,
 * and one to an attachment that went is taken out.
 */
export function withoutAttachments(vcon: Vcon, gone: (attachment: Attachment) => boolean): Vcon {
  const before = vcon.attachments ?? [];
  const attachments = before.filter((attachment) => !gone(attachment));
  if (attachments.length === before.length) return vcon;
  const places = new Map<JsonValue, number>();
  for (const [place, attachment] of before.entries()) {
    if (!gone(attachment)) places.set(place, places.size);
  }
  const analysis = vcon.analysis?.map((entry) => withReferences(entry, places));
  return { ...vcon, attachments, ...(analysis === undefined ? {} : { analysis }) };
}

function withReferences(entry: Analysis, places: ReadonlyMap<JsonValue, number>): Analysis {
  const { attachment, ...rest } = entry;
  if (attachment === undefined || attachment === null) return entry;
  const given: readonly JsonValue[] = Array.isArray(attachment) ? attachment : [attachment];
  const left = given.flatMap((place) => places.get(place) ?? []);
  const [first] = left;
  if (first === undefined) return rest;
  return { ...rest, attachment: Array.isArray(attachment) ? left : first };
}
