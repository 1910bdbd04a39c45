import { parseDate, writeDate } from "../document/dates.ts";
import { isArray, isObject, member, objectsMember, stringMember } from "../document/json.ts";
import { readable } from "../document/parties.ts";
import type { Dialog, JsonObject, JsonValue, Party } from "../document/types.ts";
import type { Imported } from "./imported.ts";
import { invalidImport, textOf } from "./text-file.ts";

const NAMESPACE = "urn:ietf:params:xml:ns:recording:1";
/** Elements that may be repeated. */
const repeated = new Set([
  "session",
  "participant",
  "stream",
  "participantsessionassoc",
  "participantstreamassoc",
  "sipSessionID",
  "nameID",
  "name",
  "associate-time",
  "disassociate-time",
]);

export function isSiprec(text: string): boolean {
  return /^\s*</.test(text) && text.slice(0, 4000).includes(NAMESPACE);
}

/**
 * Reads the metadata of a recording session (SIPREC, RFC 7865): participants become parties, every communication
 * session a recording dialog without content, with who came and went when.
 *
 * @throws VconError invalid_import it is no such XML, or names no participant
 */
export async function importSiprec(file: Uint8Array | string): Promise<Imported> {
  const recording = await rootOf(textOf(file));
  const participants = objectsMember(recording, "participant");
  if (participants.length === 0) throw invalidImport("The SIPREC metadata has no participants.");
  const places = new Map(
    participants.map((each, index) => [stringMember(each, "participant_id") ?? "", index]),
  );
  const given = objectsMember(recording, "session");
  const associations = Map.groupBy(
    objectsMember(recording, "participantsessionassoc"),
    (each) => stringMember(each, "session_id") ?? "",
  );
  // Metadata of an update may leave the session out: then it is one of all participants.
  const sessions = given.length === 0 ? [{}] : given;
  const dialogs = sessions.map((session) =>
    dialogOf(session, { places, associations, alone: sessions.length === 1 }),
  );
  const first = dialogs.map(({ start }) => parseDate(start)).find((start) => start !== undefined);
  return {
    ...(first === undefined ? {} : { createdAt: first }),
    parties: participants.map(partyOf),
    dialogs,
    analyses: [],
    attachments: [],
  };
}

async function rootOf(text: string): Promise<JsonObject> {
  // Entities of one's own can refer to files, or grow without end; SIPREC needs none.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw invalidImport(
      "The SIPREC metadata has a document type declaration (<!DOCTYPE), which is not taken.",
    );
  }
  const { XMLParser } = await import("fast-xml-parser");
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    removeNSPrefix: true,
    parseTagValue: false,
    parseAttributeValue: false,
    textNodeName: "text",
    isArray: (name) => repeated.has(name),
  });
  let parsed: JsonValue;
  try {
    parsed = parser.parse(text, true);
  } catch (cause) {
    throw invalidImport("The SIPREC metadata is no well-formed XML.", cause);
  }
  const recording = isObject(parsed) ? member(parsed, "recording") : undefined;
  if (isObject(recording)) return recording;
  throw invalidImport(`This is no SIPREC metadata: it has no element "recording" of ${NAMESPACE}.`);
}

function partyOf(participant: JsonObject): Party {
  const [identity = {}] = objectsMember(participant, "nameID");
  const address = readable(stringMember(identity, "aor") ?? "");
  const name = readable(textsOf(identity, "name")[0] ?? "");
  const number = /^(?:tel:|sips?:)?(\+\d{5,15})(?:[@;]|$)/i.exec(address)?.[1];
  // A number that is no global one counts only within its own context, which it may name.
  const tel = number === undefined ? /^tel:[\d*#().-]{1,40}(?:;\S*)?$/i.exec(address)?.[0] : `tel:${number}`;
  const bare = /^[^\s:@]+@[^\s@]+$/.test(address);
  return {
    ...(tel === undefined ? {} : { tel }),
    ...(/^sips?:./i.test(address) || bare ? { sip: bare ? `sip:${address}` : address } : {}),
    ...(/^mailto:./i.test(address) ? { mailto: address.slice(7) } : {}),
    ...(name === "" ? {} : { name }),
  };
}

interface Around {
  /** Where each participant is in the list of parties. */
  readonly places: ReadonlyMap<string, number>;
  /** Who takes part, by session. */
  readonly associations: ReadonlyMap<string, readonly JsonObject[]>;
  /** There is one session only, and everybody takes part in it. */
  readonly alone: boolean;
}

function dialogOf(session: JsonObject, { places, associations, alone }: Around): Dialog {
  const id = stringMember(session, "session_id") ?? "";
  const joined = alone ? [...associations.values()].flat() : (associations.get(id) ?? []);
  const named = joined.flatMap((each) => places.get(stringMember(each, "participant_id") ?? "") ?? []);
  const parties = named.length > 0 || !alone ? [...new Set(named)] : [...places.values()];
  const history = joined.flatMap((each) => eventsOf(each, places)).toSorted((a, b) => a.at - b.at);
  const start = dateIn(session, "start-time") ?? history[0]?.at;
  const end = dateIn(session, "end-time") ?? dateIn(session, "stop-time") ?? endOf(history);
  const [sipSession] = textsOf(session, "sipSessionID").flatMap(sessionId);
  return {
    type: "recording",
    ...(start === undefined ? {} : { start: writeDate(start) }),
    ...(start === undefined || end === undefined || end < start ? {} : { duration: (end - start) / 1000 }),
    ...(parties.length === 0 ? {} : { parties }),
    ...(sipSession === undefined ? {} : { session_id: sipSession }),
    ...(history.length === 0
      ? {}
      : { party_history: history.map(({ at, ...event }) => ({ ...event, time: writeDate(at) })) }),
  };
}

interface Event {
  readonly party: number;
  readonly event: "join" | "drop";
  readonly at: number;
}

function eventsOf(association: JsonObject, places: Around["places"]): readonly Event[] {
  const party = places.get(stringMember(association, "participant_id") ?? "");
  if (party === undefined) return [];
  const times = (name: string) => textsOf(association, name).flatMap((text) => parseDate(text) ?? []);
  return [
    ...times("associate-time").map((at): Event => ({ party, event: "join", at })),
    ...times("disassociate-time").map((at): Event => ({ party, event: "drop", at })),
  ];
}

/** The session is over when everybody has left it. */
function endOf(history: readonly Event[]): number | undefined {
  const joins = history.filter(({ event }) => event === "join").length;
  const drops = history.filter(({ event }) => event === "drop");
  return drops.length > 0 && drops.length >= joins ? drops.at(-1)?.at : undefined;
}

const SESSION_ID = /^[\da-f]{32}$/i;

/** RFC 7989 as a header has it: "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2". */
function sessionId(text: string): readonly JsonObject[] {
  const [local = "", ...parameters] = text.split(";").map((part) => part.trim());
  const remote = parameters.find((each) => /^remote=/i.test(each))?.slice("remote=".length) ?? "";
  const ids = {
    ...(SESSION_ID.test(local) ? { local } : {}),
    ...(SESSION_ID.test(remote) ? { remote } : {}),
  };
  return Object.keys(ids).length === 0 ? [] : [ids];
}

function dateIn(element: JsonObject, name: string): number | undefined {
  const [text] = textsOf(element, name);
  return text === undefined ? undefined : parseDate(text);
}

/** The texts of the child elements of a name, whether or not they have attributes. */
function textsOf(element: JsonObject, name: string): readonly string[] {
  const value = member(element, name) ?? [];
  const children: readonly JsonValue[] = isArray(value) ? value : [value];
  return children.flatMap((child) => {
    const text = isObject(child) ? stringMember(child, "text") : child;
    return typeof text === "string" ? [text.trim()] : [];
  });
}
