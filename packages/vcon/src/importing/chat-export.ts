import { VconError } from "../document/errors.ts";
import type { JsonObject } from "../document/types.ts";
import { fromMessages } from "./chat-messages.ts";
import { fromTable, looksLikeTable, rowsOf } from "./chat-table.ts";
import type { Imported } from "./imported.ts";
import { fromSlack, looksLikeSlack, messagesIn } from "./slack.ts";
import { invalidImport, jsonIn, textOf } from "./text-file.ts";
import { type Zone, zoneOf } from "./wall-clock.ts";
import { type DateOrder, looksLikeWhatsApp, readWhatsApp } from "./whatsapp.ts";

export const chatFormats = ["auto", "whatsapp", "slack", "csv", "generic-json"] as const;
export type ChatFormat = (typeof chatFormats)[number];

export interface ChatOptions {
  /** Default: "auto", by what is in the file */
  readonly format?: ChatFormat;
  /** For times without one: "Europe/Berlin", "+01:00". Default: UTC */
  readonly timezone?: string;
  /** For WhatsApp. Default: what the dates themselves tell, else day first (month first with am and pm) */
  readonly dateOrder?: DateOrder;
}

/**
 * Reads an exported chat: a text dialog per message, a party per sender. Lines of the system (who joined, who left) are
 * left out.
 *
 * - whatsapp: the text file of "Export chat", of Android or iOS, in the styles of most languages
 * - slack: the JSON of one channel's day, or several joined: a list of messages
 * - csv: a header and columns for time, sender and text by common names; also mailto and tel
 * - generic-json: a list of `{ time, sender, text }`, also by the other common names
 *
 * @throws VconError invalid_import it is none of these, or has no messages
 * @throws VconError invalid_option an unknown format or time zone
 */
export function importChat(
  file: Uint8Array | string,
  { format = "auto", timezone = "UTC", dateOrder }: ChatOptions = {},
): Imported {
  if (!chatFormats.includes(format)) {
    throw new VconError(
      "invalid_option",
      `There is no chat format ${format}: use ${chatFormats.join(", ")}.`,
    );
  }
  const text = textOf(file);
  const zone = zoneOf(timezone);
  const imported = read(text, { format, zone, dateOrder });
  if (imported.dialogs.length > 0) return imported;
  throw invalidImport("There are no messages in this chat.");
}

interface Reading {
  readonly format: ChatFormat;
  readonly zone: Zone;
  readonly dateOrder: DateOrder | undefined;
}

function read(text: string, { format, zone, dateOrder }: Reading): Imported {
  const json =
    format === "auto" ? /^\s*[[{]/.test(text) && !looksLikeWhatsApp(text) : /slack|json/.test(format);
  if (json) return fromJson(text, { format, zone });
  if (format === "whatsapp" || (format === "auto" && looksLikeWhatsApp(text))) {
    return fromMessages(readWhatsApp(text, { zone, order: dateOrder }), { application: "WhatsApp" });
  }
  const rows = rowsOf(text);
  if (rows !== undefined) return fromTable(rows, zone);
  throw invalidImport(
    format === "csv"
      ? "The first line must name the columns, for example: time,sender,text."
      : "This is no chat that is known: WhatsApp text, Slack JSON, CSV with a header, or a JSON list of messages.",
  );
}

function fromJson(
  text: string,
  { format, zone }: { readonly format: ChatFormat; readonly zone: Zone },
): Imported {
  const messages: readonly JsonObject[] | undefined = messagesIn(jsonIn(text));
  if (messages === undefined) throw invalidImport("The chat must be JSON: a list of messages.");
  if (format === "slack" || (format === "auto" && looksLikeSlack(messages))) return fromSlack(messages);
  if (looksLikeTable(messages)) return fromTable(messages, zone);
  throw invalidImport("The messages need a text each, for example { time, sender, text }.");
}
