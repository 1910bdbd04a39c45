import type { Processor } from "./define.ts";
import { isRecord } from "./json.ts";

/** One option of a processor, for people. */
export interface OptionText {
  /** With its way in, for a member of an option: `rules[].name`. */
  readonly name: string;
  /** For example `string`, `integer from 1 to 10`, `list of strings`, `"low" or "high"`. */
  readonly type: string;
  readonly description: string;
  readonly required: boolean;
  /** Its values are never shown. */
  readonly secret: boolean;
  /** It is no secret, but may be a reference to one too, as `secret:NAME`. */
  readonly reference: boolean;
  /** JSON. None is here for secrets and for what has secrets inside. */
  readonly default?: unknown;
}

/** The options of a processor's own, without those that all have; after each its members, if it has some. */
export function optionTexts({ options }: Pick<Processor, "options">): readonly OptionText[] {
  return membersOf(options, "");
}

function membersOf(schema: object, path: string): readonly OptionText[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([key, property]) => {
    if (!isRecord(property)) return [];
    const secretive = JSON.stringify(property).includes('"writeOnly":true');
    const own: OptionText = {
      name: `${path}${key}`,
      type: typeText(property),
      description: typeof property.description === "string" ? property.description : "",
      required: required.includes(key) && !("default" in property),
      secret: isMarked(property, "writeOnly"),
      reference: isMarked(property, "reference"),
      ...("default" in property && !secretive ? { default: property.default } : {}),
    };
    return [own, ...inner(property, own.name)];
  });
}

function inner(schema: Readonly<Record<string, unknown>>, name: string): readonly OptionText[] {
  if (isRecord(schema.properties)) return membersOf(schema, `${name}.`);
  if (isRecord(schema.items)) return inner(schema.items, `${name}[]`);
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.flatMap((branch) => (isRecord(branch) ? inner(branch, name) : []));
  }
  return [];
}

function isMarked(schema: unknown, mark: "writeOnly" | "reference"): boolean {
  if (!isRecord(schema)) return false;
  if (schema[mark] === true || isMarked(schema.items, mark)) return true;
  return Array.isArray(schema.anyOf) && schema.anyOf.some((branch) => isMarked(branch, mark));
}

function typeText(schema: unknown): string {
  if (!isRecord(schema)) return "any value";
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return oneOf(schema.enum.map((value) => JSON.stringify(value)));
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches)) return oneOf(branches.map(typeText));
  if (Array.isArray(schema.type)) return oneOf(schema.type.map(String));
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type}${rangeText(schema)}`;
    case "string":
      return typeof schema.format === "string" ? `string (${schema.format})` : "string";
    case "array":
      return listText(schema);
    case "object":
      return mapText(schema);
    default:
      return typeof schema.type === "string" ? schema.type : "any value";
  }
}

function rangeText(schema: Readonly<Record<string, unknown>>): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const from = typeof minimum === "number" ? ` from ${minimum}` : undefined;
  const to = typeof maximum === "number" ? ` to ${maximum}` : undefined;
  if (from !== undefined && to !== undefined) return `${from}${to}`;
  const low = from ?? (typeof exclusiveMinimum === "number" ? ` more than ${exclusiveMinimum}` : "");
  const high = typeof exclusiveMaximum === "number" ? ` less than ${exclusiveMaximum}` : to && ` up${to}`;
  return high === undefined ? low : low === "" ? high : `${low},${high}`;
}

function listText(schema: Readonly<Record<string, unknown>>): string {
  const item = typeText(schema.items);
  const simple = /^(?:string|integer|number|boolean|object)$/.test(item);
  if (simple) return `list of ${item}s`;
  return item === "any value" ? "list" : `list of (${item})`;
}

/** A map has members of any name, all of one type. */
function mapText(schema: Readonly<Record<string, unknown>>): string {
  const { patternProperties, additionalProperties } = schema;
  const [value] = isRecord(patternProperties) ? Object.values(patternProperties) : [additionalProperties];
  return isRecord(value) ? `object: name to ${typeText(value)}` : "object";
}

function oneOf(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  if (unique.length <= 1) return unique[0] ?? "any value";
  return `${unique.slice(0, -1).join(", ")} or ${unique.at(-1)}`;
}
