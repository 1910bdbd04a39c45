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
  return mapSecrets(processor.options, options, (value) => (isReference(value) ? value : MASK));
}

/**
 * Options with each reference replaced by its secret, and the list of all secret texts in them (to keep
 * them out of error texts).
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
  const resolved = mapSecrets(processor.options, options, (value) => {
    const real = isReference(value) ? lookUp(processor, value.slice(REFERENCE.length), secret) : value;
    if (typeof real === "string" && real !== "") secrets.push(real);
    return real;
  });
  return { options: { ...options, ...(isRecord(resolved) ? resolved : {}) }, secrets };
}

const secretive = new WeakMap<Processor, boolean>();

function hasSecrets(processor: Processor): boolean {
  const known = secretive.get(processor);
  if (known !== undefined) return known;
  const found = JSON.stringify(processor.options).includes('"writeOnly":true');
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

/** A copy of `value` in which `change` was applied to every part that `schema` marks `writeOnly`. */
function mapSecrets(schema: unknown, value: unknown, change: (value: unknown) => unknown): unknown {
  if (!isRecord(schema) || value === null || value === undefined) return value;
  if (schema.writeOnly === true) return mapTexts(value, change);
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.reduce((mapped: unknown, branch) => mapSecrets(branch, mapped, change), value);
  }
  if (Array.isArray(value)) return value.map((item) => mapSecrets(schema.items, item, change));
  if (!isRecord(value) || !isRecord(schema.properties)) return value;
  const { properties } = schema;
  return mapMembers(value, (item, name) =>
    Object.hasOwn(properties, name) ? mapSecrets(properties[name], item, change) : item,
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
