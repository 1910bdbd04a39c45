import { isArray, isObject, member, stringMember } from "../document/json.ts";
import { readable } from "../document/parties.ts";
import type { JsonObject, JsonValue, Party } from "../document/types.ts";
import { type ChatMessage, fromMessages, partyNamed } from "./chat-messages.ts";
import { readCsv } from "./csv.ts";
import type { Imported } from "./imported.ts";
import { parseLocalDate, type Zone } from "./wall-clock.ts";

/* Chats as tables: rows of CSV or objects of JSON, whose columns are known by common names. */

const columns = {
  time: ["time", "timestamp", "datetime", "date", "sent_at", "sent", "created_at", "start", "ts"],
  sender: ["sender", "from", "author", "speaker", "user", "name", "username", "participant", "from_name"],
  text: ["text", "message", "body", "content", "msg"],
  mailto: ["email", "mailto", "sender_email", "from_email"],
  tel: ["phone", "tel", "number", "sender_phone", "from_number"],
  id: ["message_id"],
} as const;
const MAX_COLUMNS = 1000;
type Column = keyof typeof columns;

/**
 * The rows of a CSV text as objects by column; undefined when its header names no column for the text, or has more than
 * a thousand.
 */
export function rowsOf(text: string): readonly JsonObject[] | undefined {
  const [header = [], ...rows] = readCsv(text);
  if (header.length > MAX_COLUMNS) return undefined;
  const names = header.map(nameOf);
  if (!columns.text.some((name) => names.includes(name)) || names.length < 2) return undefined;
  return rows.map((row) =>
    Object.fromEntries(row.slice(0, names.length).map((value, index) => [names[index] ?? "", value])),
  );
}

export function looksLikeTable(rows: readonly JsonObject[]): boolean {
  return rows.some((row) => typeof cell(row, "text") === "string");
}

/** A message per row that has a text. */
export function fromTable(rows: readonly JsonObject[], zone: Zone): Imported {
  const people = new Map<string, Party>();
  const messages = rows.flatMap((row): readonly ChatMessage[] => {
    const text = cell(row, "text");
    if (typeof text !== "string" || text.trim() === "") return [];
    const time = cell(row, "time");
    const known = typeof time === "string" || typeof time === "number";
    const messageId = cell(row, "id");
    return [
      {
        at: known ? parseLocalDate(numeric(time), zone) : undefined,
        sender: senderOf(row, people),
        text,
        ...(typeof messageId === "string" && messageId !== "" ? { messageId } : {}),
      },
    ];
  });
  return fromMessages(messages, { partyOf: (sender) => people.get(sender) ?? partyNamed(sender) });
}

/** A cell of digits is a number of seconds or milliseconds. */
function numeric(time: string | number): string | number {
  return typeof time === "string" && /^\s*\d{9,13}(?:\.\d+)?\s*$/.test(time) ? Number(time) : time;
}

function senderOf(row: JsonObject, people: Map<string, Party>): string | undefined {
  const given = cell(row, "sender");
  const about = isObject(given) ? given : row;
  const name = typeof given === "string" ? given : (stringMember(about, "name") ?? "");
  const text = (column: Column) => {
    const value = cell(about, column);
    return typeof value === "string" ? readable(value) : "";
  };
  const party = {
    ...(readable(name) === "" ? {} : partyNamed(readable(name))),
    ...(text("mailto") === "" ? {} : { mailto: text("mailto") }),
    ...(text("tel") === "" ? {} : { tel: text("tel") }),
  };
  const { mailto = "", tel = "", name: label = "" }: Party = party;
  const key = mailto?.toLowerCase() || tel || label;
  if (!key) return undefined;
  if (!people.has(key)) people.set(key, party);
  return key;
}

function cell(row: JsonObject, column: Column): JsonValue | undefined {
  for (const name of columns[column]) {
    const value = member(row, name);
    if (value !== undefined && value !== null && value !== "" && !isArray(value)) return value;
  }
  return undefined;
}

/** "Sent at" and "sentAt" are `sent_at`. */
function nameOf(header: string): string {
  return header
    .trim()
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();
}
