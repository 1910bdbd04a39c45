import { VconductorError } from "../errors.ts";
import type { EffectiveOptions, Processor, ProcessorContext } from "./define.ts";
import { isRecord } from "./json.ts";

const MASK = "********";
const REFERENCE = "secret:";

/**
 * Options as they may be shown: every value that the schema marks `writeOnly` is `********`, except
 * references (`secret:NAME`), which say nothing.
 */
export function maskSecrets(processor: Processor, options: unknown): unknown {
  const mask = (value: unknown) => (isReference(value) ? value : MASK);
  return mapMarked({ schema: processor.options, marks: ["writeOnly"], change: mask }, options);
}

/**
 * Options with each reference replaced by its secret, and the list of all secret texts in them (to keep
 * them out of error texts). Options marked `reference` in the schema, such as certificates, are shown to everybody but
 * may be references too.
 *
 * @throws invalid_options the server has no secret of that name
 */
export function resolveSecrets(
  processor: Processor,
  options: EffectiveOptions,
  secret: ProcessorContext["secret"],
): { readonly options: EffectiveOptions; readonly secrets: readonly string[] } {
  const secrets: string[] = [];
  if (!hasSecrets(processor)) return { options, secrets };
  const real = (value: unknown) =>
    isReference(value) ? lookUp(processor, value.slice(REFERENCE.length), secret) : value;
  const keep = (value: unknown) => {
    const text = real(value);
    if (typeof text === "string" && text !== "") secrets.push(text);
    return text;
  };
  const { options: schema } = processor;
  const opened = mapMarked({ schema, marks: ["reference"], change: real }, options);
  const resolved = mapMarked({ schema, marks: ["writeOnly"], change: keep }, opened);
  return { options: { ...options, ...(isRecord(resolved) ? resolved : {}) }, secrets };
}

const secretive = new WeakMap<Processor, boolean>();

function hasSecrets(processor: Processor): boolean {
  const known = secretive.get(processor);
  if (known !== undefined) return known;
  const found = /"(?:writeOnly|reference)":true/.test(JSON.stringify(processor.options));
  secretive.set(processor, found);
  return found;
}

/** `text` without any of `secrets`. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}

function lookUp(processor: Processor, name: string, secret: ProcessorContext["secret"]): string {
  const value = secret(name);
  if (value !== undefined) return value;
  throw new VconductorError(
    "invalid_options",
    `processor: ${processor.name} needs the secret ${name}, which is not set`,
  );
}

function isReference(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(REFERENCE);
}

interface Marked {
  readonly schema: unknown;
  /** Keywords: a part of the value counts whose schema has one of them set to true. */
  readonly marks: readonly ("writeOnly" | "reference")[];
  readonly change: (value: unknown) => unknown;
}

/** A copy of `value` in which every part that the schema marks was changed. */
function mapMarked({ schema, marks, change }: Marked, value: unknown): unknown {
  if (!isRecord(schema) || value === null || value === undefined) return value;
  if (marks.some((mark) => schema[mark] === true)) return mapTexts(value, change);
  const within = (part: unknown, item: unknown) => mapMarked({ schema: part, marks, change }, item);
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.reduce((mapped: unknown, branch) => within(branch, mapped), value);
  }
  if (Array.isArray(value)) return value.map((item) => within(schema.items, item));
  if (!isRecord(value) || !isRecord(schema.properties)) return value;
  const { properties } = schema;
  return mapMembers(value, (item, name) =>
    Object.hasOwn(properties, name) ? within(properties[name], item) : item,
  );
}

/** A secret may be a list (certificates): each of its texts is one. */
function mapTexts(value: unknown, change: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (isRecord(value)) return mapMembers(value, (item) => mapTexts(item, change));
  return change(value);
}

function mapMembers(
  value: Readonly<Record<string, unknown>>,
  map: (item: unknown, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, map(item, name)]));
}
