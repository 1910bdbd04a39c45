import { writeDate } from "../document/dates.ts";
import { VconError } from "../document/errors.ts";
import { isArray, isObject, member, objectsMember, stringMember } from "../document/json.ts";
import { mapEntries, withoutMember } from "../document/json-edit.ts";
import { isVcon } from "../document/shape.ts";
import type { JsonObject, JsonValue, Vcon } from "../document/types.ts";
import { newUuid } from "../document/uuid.ts";
import type { NewVconOptions } from "./amend.ts";

/** Entries of a list: all of them, these indices, or those of these types (purposes, for attachments). */
export type Selection = "all" | readonly number[] | { readonly type: readonly string[] };

/** What is to go. Entries keep their place, as placeholders, so that every index stays right. */
export interface RedactSelection {
  readonly subject?: boolean;
  /** The content of these dialogs. Who took part, when, and what kind it was stays. */
  readonly dialog?: Selection;
  readonly analysis?: Selection;
  readonly attachments?: Selection;
  /** Members of all parties: those that stay, or those that go. */
  readonly parties?: { readonly keep: readonly string[] } | { readonly drop: readonly string[] };
}

export interface RedactOptions extends NewVconOptions {
  /** What kind of information is removed, for example "PII". */
  readonly type: string;
  readonly select?: RedactSelection;
  /** Changes what `select` left: any change that keeps the lists' lengths. */
  readonly transform?: (vcon: Vcon) => JsonValue | Promise<JsonValue>;
}

const content = ["body", "encoding", "url"];
const lists = ["parties", "dialog", "analysis", "attachments"] as const;

/**
 * A redacted copy with a uuid of its own that says which vCon it comes from. The original is not touched.
 *
 * @throws VconError invalid_option no type, or an index that points nowhere
 * @throws VconError invalid_query `transform` gave no vCon, or one in which entries are missing
 */
export async function redact(
  vcon: Vcon,
  { type, select = {}, transform, ...options }: RedactOptions,
): Promise<Vcon> {
  if (type.trim() === "")
    throw new VconError("invalid_option", "Say what kind of information the redaction removes (type).");
  const reduced = reduce(vcon, select);
  const given: JsonValue = transform === undefined ? reduced : await transform(reduced);
  const { domain, uuid, now = Date.now() } = options;
  if (!isObject(given)) throw noVcon();
  const own = stringMember(given, "uuid");
  const fresh =
    own === undefined || own === "" || own === vcon.uuid ? (uuid ?? (await newUuid({ domain }))) : own;
  const result: JsonObject = {
    ...withoutMember(given, "amended"),
    uuid: fresh,
    redacted: { uuid: vcon.uuid, type },
    updated_at: writeDate(now),
  };
  if (!isVcon(result)) throw noVcon();
  requireSameLengths(vcon, result);
  return structuredClone(result);
}

function noVcon(): VconError {
  return new VconError("invalid_query", "The redaction does not give an unsigned vCon.");
}

/** What stays must be found where it was: analyses and attachments name dialogs and parties by index. */
function requireSameLengths(before: Vcon, after: Vcon): void {
  for (const name of lists) {
    const given = member(after, name);
    const length = isArray(given) ? given.length : undefined;
    const expected = (before[name] ?? []).length;
    if (length !== undefined && length < expected) {
      const hint =
        "Put {} or a placeholder in the place of an entry instead of deleting it, so that indices stay right.";
      throw new VconError(
        "invalid_query",
        `The redaction leaves ${length} of ${expected} entries in ${name}. ${hint}`,
      );
    }
  }
}

function reduce(vcon: Vcon, select: RedactSelection): Vcon {
  let result: JsonObject = select.subject ? withoutMember(vcon, "subject") : vcon;
  for (const name of ["dialog", "analysis", "attachments"] as const) {
    const chosen = select[name];
    if (chosen === undefined) continue;
    const indices = indicesOf(objectsMember(vcon, name), { chosen, name });
    result = mapEntries(result, name, (entry, index) =>
      indices.has(index) ? placeholder(entry, name) : entry,
    );
  }
  const { parties } = select;
  if (parties !== undefined) result = mapEntries(result, "parties", (party) => reduceParty(party, parties));
  return isVcon(result) ? result : vcon;
}

function indicesOf(
  entries: readonly JsonObject[],
  { chosen, name }: { readonly chosen: Selection; readonly name: string },
): ReadonlySet<number> {
  if (chosen === "all") return new Set(entries.keys());
  if ("type" in chosen) {
    const label = (entry: JsonObject) => stringMember(entry, "purpose") ?? stringMember(entry, "type") ?? "";
    return new Set([...entries.keys()].filter((index) => chosen.type.includes(label(entries[index] ?? {}))));
  }
  const wrong = chosen.find((index) => !(index in entries));
  if (wrong === undefined) return new Set(chosen);
  throw new VconError(
    "invalid_option",
    `${name}: ${wrong} points nowhere; there are ${entries.length} of them.`,
  );
}

/** What is left of an entry: all but its content. A dialog keeps the hash, which tells nothing but proves a lot. */
function placeholder(entry: JsonObject, list: "dialog" | "analysis" | "attachments"): JsonObject {
  const gone = list === "dialog" ? content : [...content, "content_hash"];
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !gone.includes(name)));
}

function reduceParty(party: JsonObject, rule: NonNullable<RedactSelection["parties"]>): JsonObject {
  const stays = (name: string) => ("keep" in rule ? rule.keep.includes(name) : !rule.drop.includes(name));
  return Object.fromEntries(Object.entries(party).filter(([name]) => stays(name)));
}
