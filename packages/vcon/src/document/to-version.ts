import { detectForm } from "./form.ts";
import { has, isArray, isObject, member, objectsMember, stringMember } from "./json.ts";
import { mapEntries, renameMember } from "./json-edit.ts";
import { upgrade, versionIndex } from "./migrate.ts";
import type { JsonObject, JsonValue, VconVersion } from "./types.ts";

/** The versions that `toVersion` can write. */
export type TargetVersion = Exclude<VconVersion, "0.0.1">;

export interface Converted {
  readonly vcon: JsonObject;
  /** What the target version has no words for, one line each, for example `dialog[2].type: recording-set`. */
  readonly lost: readonly string[];
}

/**
 * Converts an unsigned document of any version to the given one, up or down, for readers that know only that one.
 * Nothing is deleted: what the version cannot express stays as an unknown member and is listed in `lost`. The result
 * always says its version. Signed and encrypted documents come back unchanged, with a line in `lost`.
 *
 * @throws VconError unsupported_version
 */
export function toVersion(document: JsonObject, target: TargetVersion): Converted {
  const form = detectForm(document);
  if (form !== "unsigned") {
    return { vcon: document, lost: [`the document is ${form ?? "not a vCon"} and was not converted`] };
  }
  const goal = versionIndex(target);
  const given = versionIndex(stringMember(document, "vcon"));
  if (given >= 0 && given <= goal) return { vcon: upgrade(document, target), lost: [] };

  let vcon = upgrade(document, "0.4.0");
  const lost: string[] = [];
  if (target !== "0.4.0") {
    lost.push(...inexpressible(vcon));
    vcon = to030(vcon, lost);
  }
  if (target === "0.0.2") vcon = to002(vcon);
  return { vcon: stringMember(vcon, "vcon") === target ? vcon : { ...vcon, vcon: target }, lost };
}

function to030(document: JsonObject, lost: string[]): JsonObject {
  let result = renameMember(document, "amended", "appended");
  result = renameMember(result, "critical", "must_support");
  result = mapEntries(result, "dialog", (dialog) => {
    const given = member(dialog, "session_id");
    const session_id = given === undefined ? undefined : sessionText(given);
    return session_id === undefined || session_id === given ? dialog : { ...dialog, session_id };
  });
  result = mapEntries(result, "attachments", (attachment) => renameMember(attachment, "purpose", "type"));
  for (const list of ["dialog", "analysis", "attachments"]) {
    result = mapEntries(result, list, (entry, index) => oneHash(entry, `${list}[${index}]`, lost));
  }
  return result;
}

function to002(document: JsonObject): JsonObject {
  return mapEntries(document, "dialog", (dialog) =>
    renameMember(
      renameMember(dialog, "transfer_target", "transfer-target"),
      "target_dialog",
      "target-dialog",
    ),
  );
}

function sessionText(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(sessionText);
  if (!isObject(value)) return value;
  const remote = stringMember(value, "remote");
  const local = stringMember(value, "local") ?? "";
  return remote === undefined ? local : `${local};remote=${remote}`;
}

/** Old readers take one token; SHA-512 is the one that all of them know. */
function oneHash(entry: JsonObject, where: string, lost: string[]): JsonObject {
  const tokens = member(entry, "content_hash");
  if (!isArray(tokens)) return entry;
  const chosen =
    tokens.find((token) => typeof token === "string" && token.startsWith("sha512-")) ?? tokens[0];
  if (tokens.length > 1) lost.push(`${where}.content_hash: all but one of ${tokens.length} hashes`);
  return chosen === undefined ? entry : { ...entry, content_hash: chosen };
}

/** Words that only 0.4.0 has. */
function inexpressible(document: JsonObject): string[] {
  const lost: string[] = [];
  for (const [index, party] of objectsMember(document, "parties").entries()) {
    for (const name of ["type", "org", "dept"]) if (has(party, name)) lost.push(`parties[${index}].${name}`);
  }
  for (const [index, dialog] of objectsMember(document, "dialog").entries()) {
    const at = `dialog[${index}]`;
    if (stringMember(dialog, "type") === "recording-set") lost.push(`${at}.type: recording-set`);
    for (const name of ["recordings", "recording_set"]) if (has(dialog, name)) lost.push(`${at}.${name}`);
    const channels = member(dialog, "parties");
    if (isArray(channels) && channels.includes(null)) lost.push(`${at}.parties: unused channel`);
    const events = objectsMember(dialog, "party_history").map((entry) => stringMember(entry, "event"));
    if (events.includes("keydown") || events.includes("keyup")) lost.push(`${at}.party_history: key events`);
  }
  for (const [index, analysis] of objectsMember(document, "analysis").entries()) {
    if (has(analysis, "attachment")) lost.push(`analysis[${index}].attachment`);
  }
  return lost;
}
