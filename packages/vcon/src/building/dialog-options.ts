import { parseDate, writeDate } from "../document/dates.ts";
import { VconError } from "../document/errors.ts";
import type { JsonObject, JsonValue, PartyReference } from "../document/types.ts";

/** A moment: a date, milliseconds since 1970, or text in RFC 3339. */
export type Moment = Date | number | string;

/** What any dialog may say of itself, by the names of the format. Members of extensions may be added. */
export interface DialogOptions {
  readonly start?: Moment;
  /** Seconds. */
  readonly duration?: number;
  /** Indices as `addParty` gives them; see `PartyReference` for channels. */
  readonly parties?: PartyReference;
  /** Only where the first party listed is not the one who began. */
  readonly originator?: number;
  readonly filename?: string;
  /** A channel or service, for example "WhatsApp". */
  readonly application?: string;
  readonly message_id?: string;
  readonly session_id?: JsonValue;
  readonly party_history?: readonly PartyEvent[];
  readonly [member: string]: unknown;
}

export interface PartyEvent {
  readonly party: number;
  readonly time: Moment;
  readonly event: "join" | "drop" | "hold" | "unhold" | "mute" | "unmute" | "keydown" | "keyup";
  /** For keydown and keyup. */
  readonly button?: string;
}

/** @throws VconError invalid_option it is no date */
export function dateOf(moment: Moment, what: string): string {
  const time =
    moment instanceof Date ? moment.getTime() : typeof moment === "number" ? moment : parseDate(moment);
  if (time !== undefined && Number.isFinite(time) && Math.abs(time) <= 8.64e15) return writeDate(time);
  const given = moment instanceof Date ? "an invalid Date" : JSON.stringify(moment);
  throw new VconError("invalid_option", `${what}: ${given} is not a date such as 2026-03-04T05:06:07Z.`);
}

/** The options as members: dates as text, what is undefined left out; null stays, because it removes a member. */
export function membersOf(options: object): JsonObject {
  const members: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const json =
      value === null
        ? null
        : name === "start"
          ? dateOf(value, "start")
          : name === "party_history"
            ? history(value)
            : value;
    Object.defineProperty(members, name, {
      value: json,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return members;
}

function history(events: readonly PartyEvent[]): JsonValue {
  return events.map(({ time, ...event }) => ({ ...event, time: dateOf(time, "party_history: time") }));
}
