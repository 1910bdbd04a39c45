import { transcript } from "../conversation/transcript.ts";
import { parseDate } from "../document/dates.ts";
import { isArray, isObject, objectsMember, stringMember } from "../document/json.ts";
import type { JsonObject, JsonValue, Vcon } from "../document/types.ts";
import type { NewVconOptions } from "./amend.ts";
import { builtInDetector } from "./pii/find-pii.ts";
import type { PiiDetector } from "./pii/types.ts";
import { redactedContent, redactedDialog } from "./pii-content.ts";
import { redact } from "./redact.ts";
import { type PiiFinding, Scrubber } from "./scrubber.ts";
import { redactedTranscripts } from "./transcripts.ts";

export interface RedactPiiOptions extends NewVconOptions {
  /** What the redacted vCon says was removed. Default: "PII" */
  readonly type?: string;
  /** Default: the built-in one, which works offline */
  readonly detector?: PiiDetector;
  /** Leaves the names of the parties in. Default: false */
  readonly keepNames?: boolean;
}

export interface PiiReport {
  /** How often each kind was found. */
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly PiiFinding[];
}

/** Members that say what a vCon is, not what was said in it; dates among them stay only if they are dates. */
const structure = new Set(["vcon", "uuid", "extensions", "critical", "redacted", "amended"]);
const dates = new Set(["created_at", "updated_at"]);
/** What stays of a party beside a name. */
const partyMembers = ["type", "role"];

/**
 * A redacted copy of a vCon without the personal data in it, and a report of what was found where.
 *
 * Written text, summaries, attachments and unknown members keep what is not personal, with `{{KIND}}` in the place of
 * what is. Recordings say what was said, so their content goes. Transcripts are replaced by redacted ones: one list of
 * turns per dialog. Parties keep their type and role; their name becomes "anonymous", the draft's word for it. Indices
 * stay as they are.
 */
export async function redactPii(
  vcon: Vcon,
  { detector = builtInDetector(), type = "PII", keepNames = false, ...options }: RedactPiiOptions,
): Promise<{ readonly vcon: Vcon; readonly report: PiiReport }> {
  const scrubber = new Scrubber(detector, keepNames ? [] : namesOf(vcon));
  for (const party of vcon.parties ?? []) knowAddresses(party, scrubber);
  const result = await redact(vcon, {
    ...options,
    type,
    transform: (given) => scrub(given, { scrubber, keepNames }),
  });
  const counts = new Map<string, number>();
  for (const { kind } of scrubber.findings) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return { vcon: result, report: { counts: Object.fromEntries(counts), findings: scrubber.findings } };
}

function namesOf(vcon: Vcon): readonly string[] {
  return (vcon.parties ?? []).flatMap(({ name }) => (name?.trim() ? [name.trim()] : []));
}

const addressKinds = new Map([
  ["tel", "PHONE_NUMBER"],
  ["mailto", "EMAIL_ADDRESS"],
  ["sip", "SIP_ADDRESS"],
  ["did", "DID"],
]);

function knowAddresses(party: JsonObject, scrubber: Scrubber): void {
  for (const [name, kind] of addressKinds) {
    const address = (stringMember(party, name) ?? "").replace(/^(?:tel|mailto|sips?):/i, "");
    scrubber.know(address, kind);
  }
}

async function scrub(
  vcon: Vcon,
  { scrubber, keepNames }: { readonly scrubber: Scrubber; readonly keepNames: boolean },
): Promise<JsonValue> {
  const changed: Record<string, JsonValue> = {};
  const turns = transcript(vcon);
  for (const [name, value] of Object.entries(vcon)) {
    if (structure.has(name)) changed[name] = name === "uuid" ? value : await scrubber.label(value, name);
    else if (dates.has(name)) {
      if (parseDate(value) !== undefined) changed[name] = value;
    } else if (name === "parties") {
      changed.parties = await each(vcon, name, (party, place) =>
        anonymous(party, { scrubber, keepNames, place }),
      );
    } else if (name === "dialog")
      changed.dialog = await each(vcon, name, (entry, place) => redactedDialog(entry, { scrubber, place }));
    else if (name === "analysis" || name === "attachments") {
      changed[name] = await each(vcon, name, (entry, place) => redactedContent(entry, { scrubber, place }));
    } else changed[await scrubber.text(name, name)] = await scrubber.value(value, name);
  }
  const transcripts = await redactedTranscripts(turns, scrubber);
  if (transcripts.length > 0) changed.analysis = [...list(changed.analysis), ...transcripts];
  return sweep(changed, scrubber);
}

async function each(
  vcon: Vcon,
  name: string,
  change: (entry: JsonObject, place: string) => Promise<JsonObject>,
): Promise<JsonValue[]> {
  const entries: JsonValue[] = [];
  for (const [index, entry] of objectsMember(vcon, name).entries())
    entries.push(await change(entry, `${name}[${index}]`));
  return entries;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : [];
}

async function anonymous(
  party: JsonObject,
  {
    scrubber,
    keepNames,
    place,
  }: { readonly scrubber: Scrubber; readonly keepNames: boolean; readonly place: string },
): Promise<JsonObject> {
  const name = stringMember(party, "name");
  const reduced: Record<string, JsonValue> =
    name === undefined ? {} : { name: keepNames ? name : "anonymous" };
  for (const kept of partyMembers) {
    const value = stringMember(party, kept);
    if (value !== undefined) reduced[kept] = await scrubber.label(value, place);
  }
  return reduced;
}

/** Members whose values the format prescribes; a name or number in them would be a coincidence. */
const prescribed = new Set([
  "type",
  "start",
  "mediatype",
  "encoding",
  "schema",
  "vendor",
  "product",
  "purpose",
  "disposition",
  "event",
  "time",
]);

/** A last look at everything for values that were found anywhere. Structure stays, and so do indices and times. */
function sweep(vcon: JsonObject, scrubber: Scrubber): JsonObject {
  const walk = (value: JsonValue, place: string): JsonValue => {
    if (isArray(value)) return value.map((entry, index) => walk(entry, `${place}[${index}]`));
    if (!isObject(value)) return scrubber.sweep(value, place);
    const entries = Object.entries(value).map(([name, inner]) => {
      const keep = (prescribed.has(name) && typeof inner === "string") || typeof inner === "number";
      return [name, keep && name !== "body" ? inner : scrubber.sweep(inner, place)] as const;
    });
    return Object.fromEntries(entries);
  };
  const swept = Object.entries(vcon).map(([name, value]) => {
    if (structure.has(name) || dates.has(name)) return [name, value] as const;
    const isList = ["parties", "dialog", "analysis", "attachments"].includes(name);
    const clean = name === "parties" ? value : isList ? walk(value, name) : scrubber.sweep(value, name);
    return [name, clean] as const;
  });
  return Object.fromEntries(swept);
}
