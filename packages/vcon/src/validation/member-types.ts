import { isArray, isObject } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { about, essential, type MemberCheck, must, type Rule, shown } from "./rule.ts";

/** What a member must be, in JSON's own types. */
export interface Kind {
  readonly wanted: string;
  readonly accepts: (value: JsonValue) => boolean;
}

function isString(value: JsonValue): boolean {
  return typeof value === "string";
}

/** An index or a count; 1.0 is 1. */
export function isIndex(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function isListOf(accepts: (value: JsonValue) => boolean): (value: JsonValue) => boolean {
  return (value) => isArray(value) && value.every(accepts);
}

/** Other rules look at it; only null is nothing. */
export const anything: Kind = { wanted: "anything", accepts: () => true };
export const string: Kind = { wanted: "a string", accepts: isString };
export const date: Kind = { wanted: 'a date such as "2026-03-04T05:06:07Z"', accepts: isString };
export const strings: Kind = { wanted: "an array of strings", accepts: isListOf(isString) };
export const index: Kind = { wanted: "an index: a whole number, 0 or more", accepts: isIndex };
export const indices: Kind = { wanted: "an array of indices", accepts: isListOf(isIndex) };
export const indexOrIndices: Kind = {
  wanted: "an index or an array of indices",
  accepts: (value) => isIndex(value) || indices.accepts(value),
};
export const seconds: Kind = {
  wanted: "a number of seconds, 0 or more",
  accepts: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
};
export const object: Kind = { wanted: "an object", accepts: isObject };
export const objects: Kind = { wanted: "an array of objects", accepts: isListOf(isObject) };
export const stringsByName: Kind = {
  wanted: "an object of strings",
  accepts: (value) => isObject(value) && Object.values(value).every(isString),
};
export const hashes: Kind = {
  wanted: "a hash or an array of hashes, as strings",
  accepts: (value) => isString(value) || strings.accepts(value),
};

type Kinds = Readonly<Record<string, Kind>>;

/**
 * Rules on the types of members. Those of `vital` are read by everybody without another look; `parse` refuses
 * documents that have them wrong. Unknown members are of extensions, and may be anything.
 */
export function memberTypes(vital: Kinds, others: Kinds): readonly Rule[] {
  const known = new Set([...Object.keys(vital), ...Object.keys(others)]);
  return [
    essential("unreadable", typeCheck(vital)),
    must("wrong-type", typeCheck(others)),
    must("null-member", ({ object, names }, report) => {
      for (const name of names) {
        if (object[name] === null && known.has(name)) {
          report([name], `${name} is null; leave out what is not known`, null);
        }
      }
    }),
  ];
}

function typeCheck(kinds: Kinds): MemberCheck {
  const byName = new Map(Object.entries(kinds));
  return about([...byName.keys()], ({ object, names }, report) => {
    for (const name of names) {
      const kind = byName.get(name);
      const value = object[name] ?? null;
      if (kind === undefined || value === null || kind.accepts(value)) continue;
      report([name], `${name} must be ${kind.wanted}, not ${shown(value)}`, value);
    }
  });
}

/** The members of an object that may be missing or null, but must be there. */
export function missing(object: JsonObject, names: readonly string[]): readonly string[] {
  return names.filter((name) => !Object.hasOwn(object, name) || (object[name] ?? null) === null);
}
