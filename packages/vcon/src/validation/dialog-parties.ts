import { isArray, member } from "../document/json.ts";
import { isPartyIndex } from "../document/parties.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { about, essential, must, type Path, type Rule, should, shown } from "./rule.ts";

/* Who takes part in a dialog: `n`, `[a, b]`, or by channel `[a, [b, c], null]`. */

interface Place {
  readonly at: Path;
  readonly value: JsonValue;
  /** 0 for the member itself, 1 for a channel, 2 for one of several parties on a channel. */
  readonly depth: number;
}

/**
 * What there may be something to say on within `parties`, outermost first. A queue and not a recursion: hostile
 * documents nest deep. One at a time: they also have a million entries.
 */
function* placesOf(object: JsonObject): Generator<Place, void> {
  const parties = member(object, "parties") ?? null;
  // Nearly all dialogs are like this.
  if (parties === null || isPartyIndex(parties) || (isArray(parties) && parties.every(isPartyIndex))) return;
  const top: Place = { at: ["parties"], value: parties, depth: 0 };
  yield top;
  const lists = [top];
  for (const { at, value, depth } of lists) {
    if (!isArray(value)) continue;
    for (const [index, inner] of value.entries()) {
      if (isPartyIndex(inner)) continue;
      // Beyond the third level the path would only grow.
      const place = { at: depth > 2 ? at : [...at, index], value: inner, depth: depth + 1 };
      if (isArray(inner)) lists.push(place);
      yield place;
    }
  }
}

/** Old importers write it for a party that they do not know. */
function isUnknown(value: JsonValue): boolean {
  return value === -1;
}

export const partiesRules: readonly Rule[] = [
  essential(
    "parties-unreadable",
    about(["parties"], ({ object }, report) => {
      for (const { at, value } of placesOf(object)) {
        if (value === null || isArray(value) || isUnknown(value) || isWhole(value)) continue;
        const message = `${shown(value)} is no index into parties; give a whole number, 0 or more`;
        if (!report(at, message, value)) return;
      }
    }),
  ),
  must(
    "parties-form",
    about(["parties"], ({ object }, report) => {
      for (const place of placesOf(object)) {
        const problem = misplaced(place);
        if (problem === undefined) continue;
        if (!report(place.at, problem, place.value)) return;
      }
    }),
  ),
  should(
    "originator-needless",
    about(["originator"], ({ object }, report) => {
      const originator = member(object, "originator");
      if (!isPartyIndex(originator)) return;
      if (originator !== firstListed(member(object, "parties"))) return;
      report(
        ["originator"],
        "the originator is the first party listed, which goes without saying; leave it out",
        originator,
      );
    }),
  ),
];

/** The first index in the order of the text. Without recursion: nobody has looked how deep the lists go. */
function firstListed(parties: JsonValue | undefined): number | undefined {
  const rest = [parties];
  while (rest.length > 0) {
    const value = rest.pop();
    if (isPartyIndex(value)) return value;
    if (isArray(value)) for (const inner of value.toReversed()) rest.push(inner);
  }
  return undefined;
}

function misplaced({ value, depth }: Place): string | undefined {
  if (isUnknown(value)) {
    return "-1 is no index; leave out a party that is not known, or put null for an unused channel";
  }
  if (value === null && depth > 1) {
    return "null stands for a whole channel that is unused; leave it out within one";
  }
  return isArray(value) && depth === 2
    ? "parties has two levels at most, channels and who is on them; take one level out"
    : undefined;
}

/** As `readVcon` sees it, which leaves it to readers to find that there is no such party. */
function isWhole(value: JsonValue): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
