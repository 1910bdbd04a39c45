import { isArray, isObject, member } from "../document/json.ts";
import type { JsonObject, JsonValue, PartyReference } from "../document/types.ts";

/** Where each index of an import goes; undefined where there is no such thing. */
export type Move = (index: JsonValue) => number | undefined;

export interface Moves {
  readonly party: Move;
  readonly dialog: Move;
  readonly attachment: Move;
}

/** A move by a list: entry n says where n goes. */
export function moveBy(places: readonly number[]): Move {
  return (index) => (typeof index === "number" ? places[index] : undefined);
}

const dialogToParty = ["originator", "transferee", "transferor", "transfer_target"] as const;
const dialogToDialog = ["recordings", "recording_set", "original", "consultation", "target_dialog"] as const;

/** A dialog with its indices moved. What pointed nowhere is left out. */
export function moveDialog(dialog: JsonObject, { party, dialog: other }: Moves): JsonObject {
  const moved = moveMembers(moveMembers(dialog, dialogToParty, party), dialogToDialog, other);
  const history = member(moved, "party_history");
  const withHistory = isArray(history)
    ? { ...moved, party_history: history.flatMap((entry) => moveEvent(entry, party)) }
    : moved;
  const parties = member(withHistory, "parties");
  return parties === undefined ? withHistory : replace(withHistory, "parties", moveParties(parties, party));
}

export function moveAttachment(attachment: JsonObject, { party, dialog }: Moves): JsonObject {
  return moveMembers(moveMembers(attachment, ["party"], party), ["dialog"], dialog);
}

export function moveAnalysis(analysis: JsonObject, { dialog, attachment }: Moves): JsonObject {
  return moveMembers(moveMembers(analysis, ["dialog"], dialog), ["attachment"], attachment);
}

function moveMembers(object: JsonObject, names: readonly string[], move: Move): JsonObject {
  return names.reduce((moved, name) => {
    const value = member(moved, name);
    if (value === undefined) return moved;
    if (!isArray(value)) return replace(moved, name, move(value));
    return replace(moved, name, [...new Set(value.flatMap((index) => move(index) ?? []))]);
  }, object);
}

function replace(object: JsonObject, name: string, value: JsonValue | undefined): JsonObject {
  if (value !== undefined) return { ...object, [name]: value };
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
}

function moveEvent(entry: JsonValue, move: Move): readonly JsonObject[] {
  const party = isObject(entry) ? move(member(entry, "party") ?? null) : undefined;
  return isObject(entry) && party !== undefined ? [{ ...entry, party }] : [];
}

/** The list's places are channels: one that nobody is known for becomes null, and stays. */
function moveParties(value: JsonValue, move: Move): PartyReference | undefined {
  if (!isArray(value)) return move(value);
  return value.map((channel) =>
    isArray(channel) ? channel.flatMap((index) => move(index) ?? []) : (move(channel) ?? null),
  );
}
