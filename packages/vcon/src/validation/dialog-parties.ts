import { isArray, member } from "../document/json.ts";
import { isPartyIndex, originatorOf } from "../document/parties.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { essential, must, type Path, type Rule, should, shown } from "./rule.ts";

/* Who takes part in a dialog: `n`, `[a, b]`, or by channel `[a, [b, c], null]`. */

interface Place {
  readonly at: Path;
  readonly value: JsonValue;
  /** 0 for the member itself, 1 for a channel, 2 for one of several parties on a channel. */
  readonly depth: number;
}

/** Everything within `parties`, outermost first. A queue and not a recursion: hostile documents nest deep. */
function placesOf(object: JsonObject): readonly Place[] {
  const parties = member(object, "parties") ?? null;
  // Nearly all dialogs are like this, and then there is nothing to say.
  if (parties === null || isPartyIndex(parties) || (isArray(parties) && parties.every(isPartyIndex)))
    return [];
  const places: Place[] = [{ at: ["parties"], value: parties, depth: 0 }];
  for (const { at, value, depth } of places) {
    if (!isArray(value)) continue;
    // Beyond the third level the path would only grow.
    for (const [index, inner] of value.entries()) {
      places.push({ at: depth > 2 ? at : [...at, index], value: inner, depth: depth + 1 });
    }
  }
  return places;
}

/** Old importers write it for a party that they do not know. */
function isUnknown(value: JsonValue): boolean {
  return value === -1;
}

export const partiesRules: readonly Rule[] = [
  essential("parties-unreadable", ({ object }, report) => {
    for (const { at, value } of placesOf(object)) {
      if (value === null || isArray(value) || isUnknown(value) || isWhole(value)) continue;
      report(at, `${shown(value)} is no index into parties; give a whole number, 0 or more`, value);
    }
  }),
  must("parties-form", ({ object }, report) => {
    for (const { at, value, depth } of placesOf(object)) {
      if (isUnknown(value)) {
        report(
          at,
          "-1 is no index; leave out a party that is not known, or put null for an unused channel",
          value,
        );
      } else if (value === null && depth > 1) {
        report(at, "null stands for a whole channel that is unused; leave it out within one", value);
      } else if (isArray(value) && depth === 2) {
        report(at, "parties has two levels at most, channels and who is on them; take one level out");
      }
    }
  }),
  should("originator-needless", ({ object }, report) => {
    const originator = member(object, "originator");
    if (!isPartyIndex(originator)) return;
    const first = originatorOf({ parties: member(object, "parties") ?? null });
    if (originator !== first) return;
    report(
      ["originator"],
      "the originator is the first party listed, which goes without saying; leave it out",
      originator,
    );
  }),
];

/** As `readVcon` sees it, which leaves it to readers to find that there is no such party. */
function isWhole(value: JsonValue): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
