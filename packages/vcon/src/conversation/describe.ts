import { parseDate } from "../document/dates.ts";
import { member, objectsMember, stringMember } from "../document/json.ts";
import { partyKey, readable } from "../document/parties.ts";
import type { JsonObject, VconForm } from "../document/types.ts";
import { transcript } from "./transcript.ts";

/** What a store keeps beside a document, to list and find it. */
export interface Description {
  readonly subject: string | undefined;
  readonly createdAt: Date | undefined;
  /** Search keys as `partyKey` makes them, each once. */
  readonly parties: readonly string[];
}

/**
 * Describes a document for lists and searches. Of a signed or encrypted one nothing is told: its content is not
 * verified, or not readable.
 */
export function describe(value: JsonObject, form: VconForm): Description {
  if (form !== "unsigned") return { subject: undefined, createdAt: undefined, parties: [] };
  const createdAt = parseDate(member(value, "created_at"));
  const subject = stringMember(value, "subject");
  const keys = new Set<string>();
  for (const party of objectsMember(value, "parties")) {
    for (const kind of ["tel", "mailto", "name"] as const) {
      const given = stringMember(party, kind);
      const key = given === undefined ? undefined : partyKey(kind, given);
      if (key !== undefined) keys.add(key);
    }
  }
  return {
    subject: subject === undefined ? undefined : readable(subject),
    createdAt: createdAt === undefined ? undefined : new Date(createdAt),
    parties: [...keys],
  };
}

const SEARCH_BYTES = 200_000;

/**
 * The words by which a document is found: subject, names of the parties, what was said or written, and summaries.
 * At most 200,000 bytes of UTF-8; the rest of a longer conversation is not searchable.
 */
export function searchText(vcon: JsonObject): string {
  const summaries = objectsMember(vcon, "analysis").filter(
    (entry) => stringMember(entry, "type") === "summary",
  );
  const parts = [
    stringMember(vcon, "subject"),
    ...objectsMember(vcon, "parties").map((party) => stringMember(party, "name")),
    ...summaries.map((analysis) => stringMember(analysis, "body")),
    ...transcript(vcon).map((turn) => turn.text),
  ];
  return cut(
    parts
      .filter((part) => part !== undefined && part !== "")
      .join("\n")
      .replaceAll("\0", " "),
  );
}

/** Cuts at a whole character. */
function cut(text: string): string {
  if (text.length * 3 <= SEARCH_BYTES) return text.toWellFormed();
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(SEARCH_BYTES));
  return text.slice(0, read).toWellFormed();
}
