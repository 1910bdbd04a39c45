import { equalJson, isArray, member, stringMember } from "../document/json.ts";
import type { JsonValue, Vcon } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { type Lists, Merger } from "./merge.ts";

/**
 * A vCon with what an importer found added at the end of its lists; all indices are moved along.
 *
 * Parties that are there already are found again: by the same mailto, else tel, else sip address, else (when one of the
 * two has no address) the same name; an address or name that the one there lacks is filled in. A message that is there
 * already, by its `message_id` or else because it is equal in every member, is not added again, and neither are equal
 * analyses and attachments of it. The subject is set only where there is none; `created_at` and `updated_at` stay. When
 * there is nothing to add, the vCon given comes back.
 *
 * @throws VconError invalid_option `imported.onto` is no dialog of the vCon
 */
export function addImported(vcon: Vcon, imported: Imported): Vcon {
  const before: Lists = {
    parties: vcon.parties ?? [],
    dialogs: vcon.dialog ?? [],
    analyses: vcon.analysis ?? [],
    attachments: vcon.attachments ?? [],
  };
  const merger = new Merger(before);
  merger.add(imported);
  const { parties, dialogs, analyses, attachments } = merger.lists;
  const changes = {
    ...changed("parties", before.parties, parties),
    ...changed("dialog", before.dialogs, dialogs),
    ...changed("analysis", before.analyses, analyses),
    ...changed("attachments", before.attachments, attachments),
    ...subjectOf(vcon, imported),
    ...extensionsOf(vcon, imported),
  };
  return Object.keys(changes).length === 0 ? vcon : { ...vcon, ...changes };
}

function changed<Name extends string, Entry extends JsonValue>(
  name: Name,
  before: readonly Entry[],
  after: readonly Entry[],
): { readonly [name: string]: readonly Entry[] } {
  const same = before.length === after.length && before.every((entry, index) => entry === after[index]);
  return same ? {} : { [name]: after };
}

function subjectOf(vcon: Vcon, { subject }: Imported): { readonly subject?: string } {
  const there = stringMember(vcon, "subject")?.trim();
  return there || subject === undefined ? {} : { subject };
}

function extensionsOf(vcon: Vcon, { extensions = [] }: Imported): { readonly extensions?: JsonValue } {
  const given = member(vcon, "extensions");
  const there = isArray(given) ? given : [];
  const all = [...there, ...extensions.filter((name) => !there.includes(name))];
  return equalJson(all, there) ? {} : { extensions: all };
}
