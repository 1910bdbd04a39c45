import type { Address, Email, Attachment as MailAttachment } from "postal-mime";
import { encodeBase64url } from "../document/base64url.ts";
import { parseDate, writeDate } from "../document/dates.ts";
import { partyKey, readable } from "../document/parties.ts";
import type { Attachment, Party } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { Merger } from "./merge.ts";
import { baseName, invalidImport } from "./text-file.ts";
import { calendarTime } from "./wall-clock.ts";

export interface EmailOptions {
  /**
   * Keep the HTML of messages that have plain text as well, as an attachment. Default: false, since it says the same
   * again and would outlive a redaction of the text.
   */
  readonly keepHtml?: boolean;
  /** Time, in milliseconds since 1970, of messages that do not say when they were sent. Default: the clock */
  readonly receivedAt?: number;
}

/** Headers that a message has and other texts do not. */
const telling = /^(?:from|to|cc|bcc|sender|date|subject|message-id|received|return-path|delivered-to)$/;

/**
 * Reads one e-mail message (RFC 5322, MIME). It becomes a text dialog: the plain text, decoded, or else the HTML. Its
 * parties are From, To, Cc and Bcc in this order, each address once, groups taken apart; without From the Sender,
 * Reply-To or Return-Path counts, and without these a party of whom nothing is known. `start` is the Date, else the
 * first Received. Attached files, inline images and forwarded messages become attachments (base64url) by the sender.
 *
 * @throws VconError invalid_import it has no headers of an e-mail
 */
export async function importEmail(
  message: Uint8Array | string,
  { keepHtml = false, receivedAt = Date.now() }: EmailOptions = {},
): Promise<Imported> {
  const { default: PostalMime } = await import("postal-mime");
  const email = await PostalMime.parse(unwrapped(message), { forceRfc822Attachments: true }).catch(
    (cause: unknown) => {
      throw invalidImport("The e-mail cannot be read: its parts are nested too deep or too large.", cause);
    },
  );
  if (!email.headers.some(({ key }) => telling.test(key))) {
    throw invalidImport("This is no e-mail: it has no headers such as From, Date or Subject.");
  }
  const sent = sentAt(email);
  const { parties, places } = partiesOf(email);
  const text = email.text ?? email.html ?? "";
  const html = email.text !== undefined && keepHtml ? email.html : undefined;
  const subject = readable(email.subject ?? "");
  const messageId = readable(email.messageId ?? "");
  const start = writeDate(sent ?? calendarTime(receivedAt) ?? Date.now());
  const common = { start, party: places[0] ?? 0, dialog: 0 };
  return {
    ...(subject === "" ? {} : { subject }),
    ...(sent === undefined ? {} : { createdAt: sent }),
    parties,
    dialogs: [
      {
        type: "text",
        ...(sent === undefined ? {} : { start }),
        parties: places,
        mediatype: email.text === undefined && email.html !== undefined ? "text/html" : "text/plain",
        body: text,
        encoding: "none",
        ...(messageId === "" ? {} : { message_id: messageId }),
      },
    ],
    analyses: [],
    attachments: [
      ...(html === undefined ? [] : [{ ...common, mediatype: "text/html", body: html, encoding: "none" }]),
      ...email.attachments.map((entry) => ({ ...common, ...contentOf(entry) })),
    ],
  };
}

/**
 * Reads several messages, for example a thread: in order of time, those with the same Message-ID once (the earliest).
 * The subject is the first message's.
 *
 * @throws VconError invalid_import one of them is no e-mail; the error says which, counted from one
 */
export async function importEmails(
  messages: readonly (Uint8Array | string)[],
  options: EmailOptions = {},
): Promise<Imported> {
  const read: { readonly imported: Imported; readonly time: number }[] = [];
  let time = Number.NEGATIVE_INFINITY;
  for (const [index, message] of messages.entries()) {
    const imported = await importEmail(message, options).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw invalidImport(`Message ${index + 1} of ${messages.length}: ${why}`, cause);
    });
    // One without a time keeps its place after the one before it.
    time = imported.createdAt ?? time;
    read.push({ imported, time });
  }
  const sorted = read
    .sort((a, b) => (a.time === b.time ? 0 : a.time - b.time))
    .map(({ imported }) => imported);
  const merger = new Merger({ parties: [], dialogs: [], analyses: [], attachments: [] });
  for (const imported of sorted) merger.add(imported);
  const subject = sorted.find((imported) => imported.subject !== undefined)?.subject;
  const createdAt = sorted.find((imported) => imported.createdAt !== undefined)?.createdAt;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...merger.lists,
  };
}

/** Without a byte order mark and without the line that a mailbox puts before each message. */
function unwrapped(message: Uint8Array | string): Uint8Array {
  const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
  const at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const postmark = String.fromCharCode(...bytes.subarray(at, at + 5)) === "From ";
  return bytes.subarray(postmark ? bytes.indexOf(0x0a, at) + 1 : at);
}

function sentAt(email: Email): number | undefined {
  const header = (name: string) => email.headers.filter(({ key }) => key === name).map(({ value }) => value);
  const received = header("received").map((value) => value.slice(value.lastIndexOf(";") + 1));
  // The header itself first: the library takes a date without a zone as the machine's own.
  for (const date of [...header("date"), email.date, ...received.reverse()]) {
    const time = parseDate(
      date
        ?.replace(/\([^()]*\)/g, "")
        .replace(/\s+/g, " ")
        .trim(),
    );
    if (time !== undefined) return time;
  }
  return undefined;
}

function partiesOf(email: Email): { readonly parties: readonly Party[]; readonly places: readonly number[] } {
  const path = email.returnPath === undefined ? [] : [{ name: "", address: email.returnPath }];
  const senders = [email.from, email.sender, ...(email.replyTo ?? []), ...path];
  const from = senders.map((sender) => partiesIn(sender)).find((found) => found.length > 0);
  const others = [email.to, email.cc, email.bcc].flatMap((list) => (list ?? []).flatMap(partiesIn));
  const parties: Party[] = [];
  const known = new Map<string, number>();
  const places = [...(from?.slice(0, 1) ?? [{}]), ...others].map((party) => {
    const key = keyOf(party);
    const index = known.get(key) ?? parties.push(party) - 1;
    known.set(key, index);
    const there = parties[index];
    if (there !== undefined && !there.name && party.name) parties[index] = { ...there, name: party.name };
    return index;
  });
  return { parties, places: [...new Set(places)] };
}

function keyOf({ mailto, name }: Party): string {
  if (mailto) return partyKey("mailto", mailto) ?? "";
  return name ? (partyKey("name", name) ?? "") : "";
}

function partiesIn(address: Address | undefined): readonly Party[] {
  if (address === undefined) return [];
  if (address.group !== undefined) return address.group.flatMap(partiesIn);
  const [mailto, name] = [readable(address.address ?? ""), readable(address.name)];
  if (mailto === "" && name === "") return [];
  return [{ ...(mailto === "" ? {} : { mailto }), ...(name === "" || name === mailto ? {} : { name }) }];
}

function contentOf({ content, mimeType, filename }: MailAttachment): Attachment {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
  // A path in the name would be somebody else's idea of where to write the file.
  const name = readable(baseName(filename ?? ""));
  return {
    mediatype: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(mimeType) ? mimeType : "application/octet-stream",
    ...(name === "" ? {} : { filename: name }),
    body: encodeBase64url(bytes),
    encoding: "base64url",
  };
}
