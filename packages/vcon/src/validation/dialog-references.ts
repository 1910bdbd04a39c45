import { has, isArray, member, stringMember } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { demandsOf } from "./dialog-members.ts";
import { isIndex } from "./member-types.ts";
import { indexRange } from "./references.ts";
import { about, must, oneOf, type Rule, should, type Whole } from "./rule.ts";

const CALLS = ["recording", "recording-set", "text"];
const ATTEMPTS = [...CALLS, "incomplete"];

/** Dialogs that point at dialogs. */
export const dialogReferenceRules: readonly Rule[] = [
  indexRange({
    parties: ["parties", "originator", "transferee", "transferor", "transfer_target"],
    dialog: ["recordings", "recording_set", "original", "consultation", "target_dialog"],
  }),
  must(
    "transfer-reference",
    about(["original", "consultation", "target_dialog"], ({ object, whole }, report) => {
      if (stringMember(object, "type") !== "transfer") return;
      for (const [name, allowed] of [
        ["original", CALLS],
        ["consultation", ATTEMPTS],
        ["target_dialog", ATTEMPTS],
      ] as const) {
        const given = member(object, name);
        const type = knownType(whole, given);
        if (type === undefined || allowed.includes(type)) continue;
        report([name], `${name} points at a ${type} dialog; it may point at ${oneOf(allowed)}`, given);
      }
    }),
  ),
  must(
    "recordings-type",
    about(["recordings"], ({ object, whole }, report) => {
      for (const [at, given] of recordingsIn(object)) {
        const type = knownType(whole, given);
        if (type === undefined || type === "recording") continue;
        report(
          ["recordings", at],
          `recordings points at a ${type} dialog; it may list recordings only`,
          given,
        );
      }
    }),
  ),
  must(
    "recording-set-type",
    about(["recording_set"], ({ object, whole }, report) => {
      const set = member(object, "recording_set");
      const type = knownType(whole, set);
      if (type === undefined || type === "recording-set") return;
      report(["recording_set"], `recording_set points at a ${type} dialog; it must be a recording-set`, set);
    }),
  ),
  should(
    "recording-set-not-named",
    about(["recordings"], ({ object, index, whole }, report) => {
      for (const [at, given] of recordingsIn(object)) {
        if (knownType(whole, given) !== "recording") continue;
        const recording = dialogAt(whole, given);
        if (recording === undefined || has(recording, "recording_set")) continue;
        report(
          ["recordings", at],
          `dialog ${String(given)} should name its set; give it recording_set ${index}`,
          given,
        );
      }
    }),
  ),
  must(
    "recording-set-contradicted",
    about(["recording_set"], ({ object, index, whole }, report) => {
      const set = member(object, "recording_set");
      const listed = isIndex(set) ? whole.recordingsOf(set) : undefined;
      if (listed === undefined || listed.has(index)) return;
      report(
        ["recording_set"],
        `dialog ${String(set)} does not list this recording; add ${index} to its recordings`,
        set,
      );
    }),
  ),
];

function recordingsIn(object: JsonObject): readonly (readonly [number, JsonValue])[] {
  const recordings = member(object, "recordings");
  return isArray(recordings) && stringMember(object, "type") === "recording-set"
    ? [...recordings.entries()]
    : [];
}

function dialogAt({ dialogs }: Whole, given: JsonValue | undefined): JsonObject | undefined {
  return isIndex(given) ? dialogs[given] : undefined;
}

/** The type of the dialog that an index points at; undefined when there is none, or no type that is known. */
function knownType(whole: Whole, given: JsonValue | undefined): string | undefined {
  const type = stringMember(dialogAt(whole, given) ?? {}, "type");
  return demandsOf(type) === undefined ? undefined : type;
}
