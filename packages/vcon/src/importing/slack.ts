import { isArray, isObject, member, objectMember, stringMember } from "../document/json.ts";
import { readable } from "../document/parties.ts";
import type { JsonObject, JsonValue, Party } from "../document/types.ts";
import { type ChatMessage, fromMessages } from "./chat-messages.ts";
import type { Imported } from "./imported.ts";

/** What the system says: who came, who left, what was pinned. */
const SYSTEM = /^(?:channel_|group_|pinned_item|unpinned_item|tombstone|reminder_)/;

/** The messages of an export: a list, or an object that has it as `messages`. */
export function messagesIn(value: JsonValue | undefined): readonly JsonObject[] | undefined {
  const list = isObject(value) ? member(value, "messages") : value;
  return isArray(list) ? list.filter(isObject) : undefined;
}

export function looksLikeSlack(messages: readonly JsonObject[]): boolean {
  return messages.some(
    (message) =>
      /^\d{9,11}(?:\.\d+)?$/.test(stringMember(message, "ts") ?? "") &&
      ["user", "bot_id", "username", "user_profile"].some((name) => Object.hasOwn(message, name)),
  );
}

/** The messages of one channel of a Slack export. Names stand for users where the export has their profile. */
export function fromSlack(messages: readonly JsonObject[]): Imported {
  const people = new Map<string, Party>();
  for (const message of messages) {
    const id = senderOf(message);
    const party = profileOf(message);
    if (id !== undefined && (party !== undefined || !people.has(id))) people.set(id, party ?? { name: id });
  }
  const read = messages.flatMap((message): readonly ChatMessage[] => {
    const text = readText(stringMember(message, "text") ?? "", people);
    if (text.trim() === "" || SYSTEM.test(stringMember(message, "subtype") ?? "")) return [];
    const seconds = Number(stringMember(message, "ts") ?? Number.NaN);
    const messageId = stringMember(message, "client_msg_id");
    return [
      {
        at: seconds > 0 && seconds < 1e11 ? Math.round(seconds * 1000) : undefined,
        sender: senderOf(message),
        text,
        ...(messageId === undefined ? {} : { messageId }),
      },
    ];
  });
  return fromMessages(read, { application: "Slack", partyOf: (id) => people.get(id) ?? { name: id } });
}

function senderOf(message: JsonObject): string | undefined {
  for (const name of ["user", "bot_id", "username"]) {
    const id = readable(stringMember(message, name) ?? "");
    if (id !== "") return id;
  }
  return undefined;
}

function profileOf(message: JsonObject): Party | undefined {
  const user = objectMember(message, "user_profile") ?? {};
  const bot = objectMember(message, "bot_profile");
  const names = [user.real_name, user.display_name, user.name, bot?.name, message.username];
  const name = names.map((value) => readable(typeof value === "string" ? value : "")).find(Boolean);
  const mailto = readable(stringMember(user, "email") ?? "");
  if (name === undefined && mailto === "") return undefined;
  const isBot = bot !== undefined || (stringMember(message, "user") === undefined && has(message, "bot_id"));
  return {
    ...(name === undefined ? {} : { name }),
    ...(mailto === "" ? {} : { mailto }),
    ...(isBot ? { type: "bot" } : {}),
  };
}

function has(message: JsonObject, name: string): boolean {
  return stringMember(message, name) !== undefined;
}

/** Slack's own markup as plain text: `<@U1>`, `<#C1|general>`, `<https://example.com|label>` and three entities. */
function readText(text: string, people: ReadonlyMap<string, Party>): string {
  return text
    .replace(/<([^<>]*)>/g, (_, inside: string) => {
      const bar = inside.indexOf("|");
      const target = bar < 0 ? inside : inside.slice(0, bar);
      const label = bar < 0 ? "" : inside.slice(bar + 1);
      if (target.startsWith("@"))
        return `@${label || (people.get(target.slice(1))?.name ?? target.slice(1))}`;
      if (target.startsWith("#")) return `#${label || target.slice(1)}`;
      if (target.startsWith("!")) return label || `@${target.slice(1)}`;
      const link = target.replace(/^mailto:/, "");
      return label === "" || label === link ? link : `${label} (${link})`;
    })
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
