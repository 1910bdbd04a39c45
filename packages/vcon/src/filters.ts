/** Filters: operations on one vCon, by name and with options that are checked. */
export { builtinFilter, builtinFilters } from "./filters/builtin.ts";
export { checkOptions } from "./filters/check-options.ts";
