import type { JsonObject, JsonValue } from "../document/types.ts";

export type Severity = "error" | "warning";
export type Path = readonly (string | number)[];

/** One object of a document, as rules see it. */
export interface Subject {
  /** What the draft calls it, for example "Dialog Object". */
  readonly title: string;
  readonly object: JsonObject;
  /** The names of its members. */
  readonly names: readonly string[];
  readonly path: Path;
  /** Its place in its list; 0 where there is no list. */
  readonly index: number;
  readonly whole: Whole;
}

/** What a rule may want to know of the document around its subject. */
export interface Whole {
  readonly document: JsonObject;
  /** How many there are. */
  readonly parties: number;
  readonly attachments: number;
  /** Entries that are no objects read as empty ones. */
  readonly dialogs: readonly JsonObject[];
  /** The document says that something was taken out of it. */
  readonly redacted: boolean;
  /** The members of a recording-set, by the index of the set; undefined when that dialog is none. */
  readonly recordingsOf: (set: number) => ReadonlySet<JsonValue> | undefined;
  /** The protected header of a JWS or JWE; undefined when there is none, or none that can be read. */
  readonly protectedHeader: (object: JsonObject) => JsonObject | undefined;
}

/**
 * Puts down that the rule is broken.
 *
 * @param at where, from the subject: member names and indices
 * @param message one line: what is wrong, and how to mend it
 * @returns false when there is no room for another: a rule that goes over a long list stops then
 */
export type Report = (at: Path, message: string, input?: JsonValue) => boolean;

export type Check = (subject: Subject, report: Report) => void;

/** A check that has nothing to say on objects with none of the members `about`; it need not be run on them. */
export interface MemberCheck {
  readonly about: readonly string[];
  readonly check: Check;
}

/** One entry of the tables of rules. */
export interface Rule {
  /** A stable name, in kebab-case. */
  readonly rule: string;
  /** In documents that are written. */
  readonly strict: Severity;
  /** In documents that are read. An error is what `parse` refuses, and nothing else. */
  readonly lenient: Severity;
  /** Undefined for a rule that has something to say on any object. */
  readonly about: readonly string[] | undefined;
  readonly check: Check;
}

/** A MUST of the draft that old and careless files break. */
export function must(rule: string, check: Check | MemberCheck): Rule {
  return { rule, strict: "error", lenient: "warning", ...limited(check) };
}

/** Advice of the draft. */
export function should(rule: string, check: Check | MemberCheck): Rule {
  return { rule, strict: "warning", lenient: "warning", ...limited(check) };
}

/** Without this no reader can do anything with the document. */
export function essential(rule: string, check: Check | MemberCheck): Rule {
  return { rule, strict: "error", lenient: "error", ...limited(check) };
}

/** Limits a check to objects that have one of the members. */
export function about(names: readonly string[], check: Check): MemberCheck {
  return { about: names, check };
}

function limited(check: Check | MemberCheck): Pick<Rule, "about" | "check"> {
  return typeof check === "function" ? { about: undefined, check } : check;
}

const MAX_SHOWN = 60;

/** A value for a message: on one line, and never long. */
export function shown(value: JsonValue | undefined): string {
  if (typeof value === "string") {
    const cut = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN).toWellFormed()}…` : value;
    return JSON.stringify(cut).replaceAll("\u2028", " ").replaceAll("\u2029", " ");
  }
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** "a, b or c" */
export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
