import { isArray, member, objectsMember, stringMember } from "./json.ts";
import type { JsonObject, JsonValue } from "./types.ts";

/** The party indices of a dialog in the order given, each once, channels flattened, unknown ones (-1, null) left out. */
export function dialogParties(dialog: JsonObject): readonly number[] {
  return [...new Set(flatten(member(dialog, "parties")))];
}

/** The party of each channel of a dialog: the first one on it. */
export function channelParties(dialog: JsonObject): readonly (number | undefined)[] {
  const parties = member(dialog, "parties");
  return isArray(parties) ? parties.map((channel) => flatten(channel)[0]) : [];
}

function flatten(value: JsonValue | undefined): readonly number[] {
  if (isArray(value)) return value.flatMap(flatten);
  return isPartyIndex(value) ? [value] : [];
}

export function isPartyIndex(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Who a dialog comes from: its originator, or else the first party listed. */
export function originatorOf(dialog: JsonObject): number | undefined {
  return flatten(member(dialog, "originator"))[0] ?? dialogParties(dialog)[0];
}

/** How the draft calls a party whose name is withheld. */
const ANONYMOUS = "anonymous";

/** What to call each party: its name, else an address, else its number counted from one. */
export function partyLabels(vcon: JsonObject): readonly string[] {
  return objectsMember(vcon, "parties").map((party, index) => {
    for (const name of ["name", "mailto", "tel", "sip"]) {
      const value = stringMember(party, name)?.trim();
      if (value && value !== ANONYMOUS) return value;
    }
    return `Party ${index + 1}`;
  });
}

/**
 * The key under which a party is found: `tel:+15550100` without separators, `mailto:a@example.com` and
 * `name:ann lee` in lower case. Use it for what is stored and for what is looked for. Undefined when nothing is left.
 */
export function partyKey(kind: "tel" | "mailto" | "name", value: string): string | undefined {
  const clean = readable(value);
  const rest = { tel: telKey, mailto: mailKey, name: (name: string) => name.toLowerCase() }[kind](clean);
  return rest === "" ? undefined : `${kind}:${rest}`;
}

function telKey(value: string): string {
  const number = value.replace(/^tel:/i, "").replace(/;.*$/, "");
  return number.replace(/[\s().-]/g, "").toLowerCase();
}

function mailKey(value: string): string {
  const inBrackets = value.slice(value.lastIndexOf("<") + 1).split(">")[0] ?? "";
  const address = inBrackets.trim().replace(/^mailto:/i, "");
  return (address.split("?")[0] ?? "").toLowerCase();
}

/** Text fit for a database column: one line, no control characters, no broken Unicode. */
export function readable(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}
