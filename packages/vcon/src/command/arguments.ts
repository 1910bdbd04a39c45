import { CommandError } from "./exit-codes.ts";

/* Options with several values, as the Python command has them; commander knows one value or any number. */

const SEPARATOR = "\u001f";

/** How many values follow these options. */
const counts = new Map([
  ["-g", 3],
  ["--get", 3],
  ["-p", 2],
  ["--post", 2],
  ["-r", 4],
  ["--register", 4],
]);

/** Before the options of the filter named last, among the operands of `vcon filter`. */
export const FILTER_OPTIONS = "\u001fo";
const filterOptions = new Set(["-fo", "--filter-options", "--filter_options"]);

/**
 * Joins the values of such options into one argument each (see `splitValues`), and turns `-fo JSON` into an operand, so
 * that it keeps its place after the filter that it is for. What comes after `--` is left alone.
 */
export function joinValues(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (argument === "--") return [...joined, ...argv.slice(at)];
    const count = counts.get(argument);
    if (count !== undefined) {
      joined.push(argument, argv.slice(at + 1, at + 1 + count).join(SEPARATOR));
      at += count;
    } else if (filterOptions.has(argument)) {
      joined.push(`${FILTER_OPTIONS}${argv[at + 1] ?? ""}`);
      at += 1;
    } else joined.push(argument);
  }
  return joined;
}

/**
 * The values that `joinValues` joined.
 *
 * @param usage the option and what its values are called, for example "-p HOST PORT"
 * @throws CommandError there are fewer
 */
export function splitValues(text: string, usage: string): readonly string[] {
  const values = text.split(SEPARATOR);
  const [option = "", ...names] = usage.split(" ");
  if (values.length === names.length && values.every((value) => value !== "")) return values;
  throw new CommandError(`${option} needs ${names.length} values: ${names.join(" ")}.`, 2);
}
