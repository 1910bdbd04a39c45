import { writeDate } from "../document/dates.ts";
import type { Dialog, Party } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { calendarTime } from "./wall-clock.ts";

/** One message of a chat, as the formats of exports have it. */
export interface ChatMessage {
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  /** What tells the sender from others: an id or the name. Undefined when nobody is named. */
  readonly sender: string | undefined;
  readonly text: string;
  readonly messageId?: string;
  /** The senders of whom it is known that they got it, by what tells them from others. */
  readonly to?: readonly string[];
}

/** A text dialog per message, in the order given, and a party per sender in order of appearance. */
export function fromMessages(
  messages: readonly ChatMessage[],
  {
    application,
    subject,
    partyOf = partyNamed,
  }: {
    readonly application?: string;
    readonly subject?: string | undefined;
    readonly partyOf?: (sender: string) => Party;
  } = {},
): Imported {
  const places = new Map<string, number>();
  const place = (sender: string) => {
    const index = places.get(sender) ?? places.size;
    places.set(sender, index);
    return index;
  };
  const times = messages.map(({ at }) => calendarTime(at));
  const dialogs = messages.map(({ sender, text, messageId, to = [] }, index): Dialog => {
    const at = times[index];
    const parties = sender === undefined ? [] : [...new Set([sender, ...to].map(place))];
    return {
      type: "text",
      ...(at === undefined ? {} : { start: writeDate(at) }),
      ...(parties.length === 0 ? {} : { parties }),
      mediatype: "text/plain",
      body: text,
      encoding: "none",
      ...(application === undefined ? {} : { application }),
      ...(messageId === undefined ? {} : { message_id: messageId }),
    };
  });
  const first = times.find((at) => at !== undefined);
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(first === undefined ? {} : { createdAt: first }),
    parties: [...places.keys()].map(partyOf),
    dialogs,
    analyses: [],
    attachments: [],
  };
}

/** A party known by what a program calls it: a telephone number, an e-mail address, or else a name. */
export function partyNamed(sender: string): Party {
  if (/^\+[\d\s().\-\u2010-\u2013\u00a0]{6,30}$/.test(sender)) {
    return { tel: `tel:+${sender.replace(/\D/g, "")}` };
  }
  return /^[^\s@]{1,64}@[^\s@]{1,255}$/.test(sender) ? { mailto: sender } : { name: sender };
}
