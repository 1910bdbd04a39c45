import type { AnyFilter } from "./define-filter.ts";
import { createAmendedFilter, jqRedactionFilter, redactPiiFilter } from "./redact.ts";
import { decryptFilter, encryptFilter, signFilter, verifyFilter } from "./seal.ts";

/** The filters that come with the library. None of them needs the network, except `redact_pii` when told to. */
export const builtinFilters: readonly AnyFilter[] = [
  createAmendedFilter,
  decryptFilter,
  encryptFilter,
  jqRedactionFilter,
  redactPiiFilter,
  signFilter,
  verifyFilter,
];

/** Names that the Python library registers them by. */
const aliases = new Map([
  ["signfilter", "sign"],
  ["verifyfilter", "verify"],
  ["encryptfilter", "encrypt"],
  ["decryptfilter", "decrypt"],
]);

/** A filter of the library by its name; undefined when it has none by that name. */
export function builtinFilter(name: string): AnyFilter | undefined {
  const own = aliases.get(name) ?? name;
  return builtinFilters.find((filter) => filter.name === own);
}
