import { messageText } from "../conversation/message-text.ts";
import { decodeUtf8 } from "../document/base64url.ts";
import { inlineBytes } from "../document/content.ts";
import { parseDate } from "../document/dates.ts";
import { isArray, isObject, member, parseJson, stringMember } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import type { Scrubber } from "./scrubber.ts";

interface Setting {
  readonly scrubber: Scrubber;
  readonly place: string;
}

/** Members that should hold no words of anybody: kinds, indices, numbers. */
const plain = new Set([
  "type",
  "purpose",
  "vendor",
  "product",
  "schema",
  "duration",
  "parties",
  "party",
  "originator",
  "dialog",
  "attachment",
  "analysis",
  "recordings",
  "recording_set",
  "transferee",
  "transferor",
  "transfer_target",
  "original",
  "consultation",
  "target_dialog",
  "disposition",
]);

/** The content itself is dealt with apart; a hash of what was removed stays where it cannot be guessed from. */
const content = new Set(["body", "encoding", "url", "mediatype", "content_hash"]);

/** A dialog without personal data: text is redacted, recordings lose their content. */
export async function redactedDialog(dialog: JsonObject, setting: Setting): Promise<JsonObject> {
  const members = await otherMembers(dialog, setting);
  const text = stringMember(dialog, "type") === "recording" ? undefined : messageText(dialog);
  if (text !== undefined) {
    const body = await setting.scrubber.text(text, setting.place);
    return { ...members, mediatype: "text/plain", body, encoding: "none" };
  }
  // The hash of a recording elsewhere proves which one it was, and tells nothing.
  const hash = typeof member(dialog, "url") === "string" ? pick(dialog, "content_hash") : {};
  return { ...members, ...mediatypeOf(dialog), ...hash };
}

/** An analysis or attachment without personal data; transcripts and what is not text lose their content. */
export async function redactedContent(entry: JsonObject, setting: Setting): Promise<JsonObject> {
  const { scrubber, place } = setting;
  const members = { ...(await otherMembers(entry, setting)), ...mediatypeOf(entry) };
  if (isTranscript(entry)) return members;
  const body = member(entry, "body") ?? null;
  if (body !== null && typeof body !== "string") {
    return { ...members, body: await scrubber.value(body, place), encoding: "json" };
  }
  const text = textOf(entry);
  if (text === undefined) return members;
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (isObject(json) || isArray(json)) {
    const clean = await scrubber.value(json, place);
    const asValue = stringMember(entry, "encoding") === "json";
    return { ...members, body: asValue ? clean : JSON.stringify(clean), encoding: asValue ? "json" : "none" };
  }
  return { ...members, body: await scrubber.text(text, place), encoding: "none" };
}

function isTranscript(entry: JsonObject): boolean {
  return /^(?:transcript|wtf_transcription)/.test(stringMember(entry, "type") ?? "");
}

/** The inline body as text, where it is text; what is binary, or somewhere else, is not looked into. */
function textOf(entry: JsonObject): string | undefined {
  const body = stringMember(entry, "body");
  if (body === undefined || body === "") return undefined;
  if (stringMember(entry, "encoding") !== "base64url") return body;
  const mediatype = stringMember(entry, "mediatype") ?? "";
  if (!/^text\/|[/+](?:json|xml)\b/i.test(mediatype)) return undefined;
  try {
    return decodeUtf8(inlineBytes(entry) ?? new Uint8Array());
  } catch {
    return undefined;
  }
}

/** Everything but the content: what the format prescribes as it is, anything else scrubbed. */
async function otherMembers(entry: JsonObject, { scrubber, place }: Setting): Promise<JsonObject> {
  const members: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(entry)) {
    if (content.has(name)) continue;
    if (plain.has(name)) members[name] = await scrubber.label(value, place);
    else if (name === "start") {
      if (parseDate(value) !== undefined) members.start = value;
    } else if (name === "party_history") members.party_history = withoutKeys(value);
    else members[await scrubber.text(name, place)] = await scrubber.value(value, place);
  }
  return members;
}

/** Keys that were pressed may be the digits of a card. */
function withoutKeys(history: JsonValue): JsonValue {
  if (!isArray(history)) return [];
  return history.filter((entry) => isObject(entry) && !Object.hasOwn(entry, "button"));
}

function mediatypeOf(entry: JsonObject): JsonObject {
  const kind = stringMember(entry, "mediatype")?.split(";")[0]?.trim();
  return kind === undefined ? {} : { mediatype: kind };
}

function pick(entry: JsonObject, name: string): JsonObject {
  const value = member(entry, name);
  return value === undefined ? {} : { [name]: value };
}
