import { findBirthDates } from "./birth-date.ts";
import { findAddresses, findPhones } from "./contact.ts";
import { findCards, findIbans, findIds } from "./identifiers.ts";
import { findKnownNames, findNames } from "./names.ts";
import { resolveSpans } from "./resolve.ts";
import { findSpokenNumbers } from "./spoken.ts";
import type { PiiDetector, PiiKind, PiiSpan } from "./types.ts";

export interface BuiltInDetectorOptions {
  /** Default: all */
  readonly kinds?: readonly PiiKind[];
  /** Whose telephone numbers are written without a country code. Default: "US" */
  readonly country?: string;
  /** Names of people that are known; parts of them are found too. */
  readonly names?: readonly string[];
}

/** Personal data in a text, found without the network. Spans come in the order of the text and do not overlap. */
export async function findPii(
  text: string,
  { kinds, country = "US", names = [] }: BuiltInDetectorOptions = {},
): Promise<readonly PiiSpan[]> {
  const found = [
    ...findAddresses(text),
    ...findCards(text),
    ...findIds(text),
    ...findBirthDates(text),
    ...findSpokenNumbers(text),
    ...findKnownNames(text, names),
    ...(await findPhones(text, country)),
    ...(await findIbans(text)),
    ...(await findNames(text)),
  ];
  const resolved = resolveSpans(text, found);
  const wanted: ReadonlySet<string> | undefined = kinds && new Set(kinds);
  return resolved.filter(({ kind }) => wanted?.has(kind) ?? true);
}

/** `findPii` with its options at hand, for `redactPii`. */
export function builtInDetector(options: BuiltInDetectorOptions = {}): PiiDetector {
  return (text) => findPii(text, options);
}
