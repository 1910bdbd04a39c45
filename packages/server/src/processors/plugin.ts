import type { AnyFilter } from "@vconductor/vcon";
import type { Processor } from "./define.ts";
import { fromFilter } from "./from-filter.ts";
import { isRecord } from "./json.ts";
import { checkOptionsSchema, isObjectSchema } from "./options.ts";

const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/**
 * The processors of a plugin's default export: a processor, a filter, or a list of them. Plugins may be
 * plain JavaScript, so their shape is checked here.
 *
 * @throws Error that says what is wrong with it
 */
export function toProcessors(exported: unknown): Processor[] {
  if (exported === undefined) throw new Error("has no default export");
  const items: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (items.length === 0) throw new Error("its default export is an empty list");
  return items.map(toProcessor);
}

function toProcessor(item: unknown): Processor {
  if (!isRecord(item)) throw new Error("its default export is not a processor, a filter, or a list of them");
  const { name, options } = item;
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw new Error(
      `the name ${JSON.stringify(name)} is not 1 to 100 letters, digits, _ - or . with a letter first`,
    );
  }
  for (const field of ["title", "description", "version"]) {
    if (typeof item[field] !== "string") throw new Error(`${name}: ${field} is not a text`);
  }
  if (!isObjectSchema(options)) {
    throw new Error(`${name}: options is not a JSON Schema of type object with properties`);
  }
  const processor = isProcessor(item) ? item : isFilter(item) ? fromFilter(item) : undefined;
  if (processor === undefined) throw new Error(`${name}: has neither process() nor apply()`);
  try {
    checkOptionsSchema(processor);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name}: options is not a valid JSON Schema: ${reason}`, { cause });
  }
  return processor;
}

/** The other members were checked before. */
function isProcessor(item: object): item is Processor {
  return "process" in item && typeof item.process === "function";
}

function isFilter(item: object): item is AnyFilter {
  return (
    ("apply" in item && typeof item.apply === "function") ||
    ("applyToDocument" in item &&
      typeof item.applyToDocument === "function" &&
      "accepts" in item &&
      Array.isArray(item.accepts))
  );
}
