import { VconError } from "../document/errors.ts";
import { detectForm } from "../document/form.ts";
import { isArray, isObject, member, objectsMember } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { Findings, type ValidationFinding, type ValidationMode } from "./findings.ts";
import type { Path, Whole } from "./rule.ts";
import { ruleTables } from "./rules.ts";
import { protectedHeader } from "./sealed-headers.ts";
import { says } from "./top-level.ts";

export type { ValidationFinding, ValidationMode } from "./findings.ts";

export interface ValidateOptions {
  /**
   * "strict" is for what is written: every MUST of the draft that is broken is an error, every SHOULD a warning.
   * "lenient" is for what is read: an error is only what `parse` refuses; all else is a warning. Default: "strict"
   */
  readonly mode?: ValidationMode;
  /** The most findings to give, 1 or more; errors go before warnings where there is no room for all. Default: 100 */
  readonly maxFindings?: number;
}

/**
 * What is wrong with a document by draft -04 (version 0.4.0), in the order of the document; nothing when all is well.
 * Takes any of the three forms; payloads and ciphertexts are not opened, and nothing is fetched. Migrate a document
 * of an older version first, or be told about its version. Never throws for a document, whatever it is.
 *
 * @param document what `JSON.parse` gives
 * @throws VconError invalid_option maxFindings is no count
 */
export function validate(document: unknown, options: ValidateOptions = {}): readonly ValidationFinding[] {
  const { mode = "strict", maxFindings = 100 } = options;
  if (!(maxFindings >= 1)) {
    throw new VconError(
      "invalid_option",
      `maxFindings: ${maxFindings} is no count; give a number, 1 or more.`,
    );
  }
  const findings = new Findings(mode, maxFindings);
  const object = isJsonObject(document) ? document : {};
  const walk = new Walk(object, findings);
  const form = detectForm(object);
  if (form === undefined) walk.look("The Three Forms", object, []);
  else walk[form]();
  return findings.list;
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Title = keyof typeof ruleTables;

/** Goes over the objects of a document, and has each checked by the rules that are about it. */
class Walk {
  readonly #document: JsonObject;
  readonly #findings: Findings;
  readonly #whole: Whole;

  constructor(document: JsonObject, findings: Findings) {
    this.#document = document;
    this.#findings = findings;
    this.#whole = wholeOf(document);
  }

  unsigned(): void {
    this.look("vCon Object", this.#document, []);
    this.#reference("redacted", "Redacted Object");
    this.#reference("amended", "Amended Object");
    this.#list("parties", "Party Object");
    this.#list("dialog", "Dialog Object", (dialog, index) => {
      this.#entries(
        ["dialog", index, "party_history"],
        member(dialog, "party_history"),
        "Party History Object",
      );
    });
    this.#list("analysis", "Analysis Object");
    this.#list("attachments", "Attachment Object");
  }

  signed(): void {
    this.look("Signed Form", this.#document, []);
    this.#list("signatures", "Signed Form / signatures");
  }

  encrypted(): void {
    this.look("Encrypted Form", this.#document, []);
    this.#list("recipients", "Encrypted Form / recipients");
  }

  look(title: Title, object: JsonObject, path: Path, index = 0): void {
    const names = Object.keys(object);
    this.#findings.check(ruleTables[title], { title, object, names, path, index, whole: this.#whole });
  }

  #reference(name: "redacted" | "amended", title: "Redacted Object" | "Amended Object"): void {
    const value = member(this.#document, name);
    if (isObject(value) && says(this.#document, name)) this.look(title, value, [name]);
  }

  #list(name: string, title: Title, then?: (entry: JsonObject, index: number) => void): void {
    this.#entries([name], member(this.#document, name), title, then);
  }

  #entries(
    path: Path,
    list: JsonValue | undefined,
    title: Title,
    then?: (entry: JsonObject, index: number) => void,
  ): void {
    if (!isArray(list)) return;
    for (const [index, entry] of list.entries()) {
      if (this.#findings.full) return;
      if (!isObject(entry)) continue;
      this.look(title, entry, [...path, index], index);
      then?.(entry, index);
    }
  }
}

function wholeOf(document: JsonObject): Whole {
  const dialogs = objectsMember(document, "dialog");
  const sets = new Map<number, ReadonlySet<JsonValue>>();
  const headers = new Map<JsonObject, JsonObject | undefined>();
  return {
    document,
    dialogs,
    parties: countOf(document, "parties"),
    attachments: countOf(document, "attachments"),
    redacted: says(document, "redacted"),
    recordingsOf: (set) => {
      const recordings = member(dialogs[set] ?? {}, "recordings");
      if (!isArray(recordings)) return undefined;
      const known = sets.get(set) ?? new Set(recordings);
      sets.set(set, known);
      return known;
    },
    // Several rules ask, and those on recipients ask for the one of the document each time.
    protectedHeader: (object) => {
      const known = headers.has(object) ? headers.get(object) : protectedHeader(object);
      headers.set(object, known);
      return known;
    },
  };
}

function countOf(document: JsonObject, name: string): number {
  const list = member(document, name);
  return isArray(list) ? list.length : 0;
}
