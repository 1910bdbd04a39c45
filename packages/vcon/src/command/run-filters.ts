/* What `vcon filter` does. It is loaded when it is needed: schemas and cryptography take their time. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isArray, isObject } from "../document/json.ts";
import type { JsonObject, JsonValue } from "../document/types.ts";
import { builtinFilter, builtinFilters } from "../filters/builtin.ts";
import { checkOptions } from "../filters/check-options.ts";
import { type AnyFilter, applyFilter } from "../filters/define-filter.ts";
import { FILTER_OPTIONS } from "./arguments.ts";
import { CommandError } from "./exit-codes.ts";
import type { FilterFlags, Registration } from "./filter-commands.ts";
import { domain, progress, readInput, write, writeDocument } from "./input-output.ts";
import { runJq } from "./jq.ts";
import { parseArgument } from "./operands.ts";

interface Registered {
  readonly filter: AnyFilter;
  readonly init: JsonObject;
}

interface Step {
  readonly name: string;
  readonly options: JsonObject;
}

/** `vcon filter --list`. */
export async function listFilters({ register = [], ...options }: FilterFlags): Promise<void> {
  await write(listText(await registeredFilters(register)), options);
}

/** `vcon filter NAME…`. */
export async function runFilters(
  operands: readonly string[],
  { register = [], ...options }: FilterFlags,
): Promise<void> {
  const registered = await registeredFilters(register);
  const steps = stepsOf(operands).map((step) => ({ ...step, ...filterNamed(step.name, registered) }));
  if (steps.length === 0) throw new CommandError("Name a filter; vcon filter --list lists them.", 2);
  let document = await readInput(options);
  for (const { filter, init, options: own } of steps) {
    progress.say(filter.title);
    const checked = await checkOptions(filter, await withPems({ ...init, ...own }));
    document = await applyFilter(filter, document, {
      options: checked,
      context: { domain, jq: runJq, fetch },
    });
  }
  await writeDocument(document, options);
}

function listText(registered: ReadonlyMap<string, Registered>): string {
  const all = [...builtinFilters, ...[...registered.values()].map(({ filter }) => filter)];
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`).join("");
}

/** Names, each followed by its options if it has any. The word `filter` between two of them may be repeated. */
function stepsOf(operands: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  for (const [at, operand] of operands.entries()) {
    if (operand.startsWith(FILTER_OPTIONS)) {
      const last = steps.pop();
      if (last === undefined)
        throw new CommandError("-fo comes after the name of the filter that it is for.", 2);
      steps.push({
        name: last.name,
        options: { ...last.options, ...object(operand.slice(FILTER_OPTIONS.length), "-fo") },
      });
    } else if (operand !== "filter" || at === 0) steps.push({ name: operand, options: {} });
  }
  return steps;
}

function object(text: string, what: string): JsonObject {
  const value = text.startsWith("@")
    ? parseArgument(readFileSync(text.slice(1), "utf8"), what)
    : parseArgument(text, what);
  if (isObject(value)) return value;
  throw new CommandError(`${what}: give a JSON object such as {"language":"en"}.`, 2);
}

function filterNamed(name: string, registered: ReadonlyMap<string, Registered>): Registered {
  const own = registered.get(name);
  if (own !== undefined) return own;
  const filter = builtinFilter(name);
  if (filter !== undefined) return { filter, init: {} };
  const names = [...builtinFilters.map((each) => each.name), ...registered.keys()];
  throw new CommandError(`There is no filter ${JSON.stringify(name)}. There are ${names.join(", ")}.`, 2);
}

async function registeredFilters(
  registrations: readonly Registration[],
): Promise<ReadonlyMap<string, Registered>> {
  const filters = new Map<string, Registered>();
  for (const { name, module, exported, init } of registrations) {
    if (filters.has(name) || builtinFilter(name))
      throw new CommandError(`There is a filter ${name} already.`, 2);
    const options = object(init, "INITJSON");
    filters.set(name, { filter: await load(module, { exported, options }), init: options });
  }
  return filters;
}

async function load(
  module: string,
  { exported, options }: { readonly exported: string; readonly options: JsonObject },
): Promise<AnyFilter> {
  const url = locate(module);
  const namespace: object = await import(url).catch((cause: unknown) => {
    throw new CommandError(
      `The module ${module} cannot be loaded: ${cause instanceof Error ? cause.message : cause}`,
      2,
    );
  });
  const found: unknown = Reflect.get(namespace, exported);
  if (found === undefined) {
    throw new CommandError(
      `The module ${module} exports no ${exported}, only ${Object.keys(namespace).join(", ")}.`,
      2,
    );
  }
  const filter: unknown = isFunction(found) ? make(found, options) : found;
  if (isFilter(filter)) return filter;
  throw new CommandError(
    `${exported} of ${module} is no filter: it needs name, title, options, and apply or applyToDocument.`,
    2,
  );
}

type Maker = (options: JsonObject) => unknown;

function isFunction(value: unknown): value is Maker {
  return typeof value === "function";
}

function make(found: Maker, options: JsonObject): unknown {
  const isClass = /^class\b/.test(Function.prototype.toString.call(found));
  return isClass ? Reflect.construct(found, [options]) : found(options);
}

/** A path as the shell has it, or a package that is installed where the command runs. */
function locate(module: string): string {
  const path = resolve(module);
  if (/^[./]/.test(module) || existsSync(path)) return pathToFileURL(path).href;
  try {
    return pathToFileURL(createRequire(join(process.cwd(), "package.json")).resolve(module)).href;
  } catch {
    throw new CommandError(`There is no module ${module}: neither a file nor an installed package.`, 2);
  }
}

function isFilter(value: unknown): value is AnyFilter {
  if (typeof value !== "object" || value === null) return false;
  const has = (name: string, type: string) => typeof Reflect.get(value, name) === type;
  return (
    has("name", "string") &&
    has("options", "object") &&
    (has("apply", "function") || has("applyToDocument", "function"))
  );
}

const pemOptions = ["private_pem_key", "public_pem_key", "cert_chain_pems", "allowed_ca_cert_pems"];

/** Filters take PEM text; on a command line the name of a file is what one has. */
async function withPems(options: JsonObject): Promise<JsonObject> {
  const read = async (value: JsonValue): Promise<JsonValue> => {
    if (isArray(value)) return Promise.all(value.map(read));
    return typeof value === "string" && value !== "" && !value.includes("-----BEGIN")
      ? readFile(value, "utf8")
      : value;
  };
  const entries = Object.entries(options).map(async ([name, value]) => {
    return [name, pemOptions.includes(name) ? await read(value) : value] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
