import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import { isJsonArray } from "./json.ts";

/** One piece of a parsed template: literal text, or a parameter with the keys that lead into it. */
type Piece = string | { readonly name: string; readonly keys: readonly string[] };

export interface FormatTarget {
  /** The option that gets the result; for error texts. */
  readonly option: string;
  readonly parameters: ReadonlyMap<string, JsonValue>;
}

/**
 * Expands a template of `format_options`. Known: `{name}`, `{name[key]}`, `{name[0]}` (subscripts may follow
 * one another), `{{` and `}}` for braces. Nothing else of Python's format language: no attributes, no
 * conversions, no format specifications, no positional fields.
 *
 * Text is inserted as it is, `true`, `false` and `null` as `True`, `False` and `None`, everything else as
 * JSON (the reference wrote the Python form of lists and objects, which nothing else can read).
 *
 * @throws invalid_options the template is malformed; names template and option
 * @throws parameter_not_found the template names a parameter, or a key of one, that does not exist
 */
export function formatTemplate(template: string, target: FormatTarget): string {
  let text = "";
  for (const piece of parseTemplate(template, target.option)) {
    text += typeof piece === "string" ? piece : render(resolve(piece, template, target));
  }
  return text;
}

/** A field between its braces: a name, then subscripts. */
const fieldPattern = /^([^{}[\].:!]+)((?:\[[^[\]{}]+\])*)$/;

/**
 * The pieces of a template, in order.
 *
 * @throws invalid_options the template is malformed
 */
export function parseTemplate(template: string, option: string): Piece[] {
  const pieces: Piece[] = [];
  let literal = "";
  let at = 0;
  while (at < template.length) {
    const char = template.charAt(at);
    if (char !== "{" && char !== "}") {
      literal += char;
      at += 1;
    } else if (template.charAt(at + 1) === char) {
      literal += char;
      at += 2;
    } else if (char === "}") {
      throw malformed(template, option, "a single } (write }} for a brace)");
    } else {
      const end = template.indexOf("}", at);
      if (end < 0) throw malformed(template, option, "a { without its } (write {{ for a brace)");
      if (literal !== "") pieces.push(literal);
      literal = "";
      pieces.push(parseField(template.slice(at + 1, end), template, option));
      at = end + 1;
    }
  }
  if (literal !== "") pieces.push(literal);
  return pieces;
}

function parseField(field: string, template: string, option: string): Piece {
  if (/^\d*$/.test(field)) throw malformed(template, option, `{${field}} is positional; fields are {name}`);
  const match = fieldPattern.exec(field);
  const name = match?.[1];
  if (name === undefined) {
    throw malformed(
      template,
      option,
      `{${field}} is not supported; fields are {name}, {name[key]}, {name[0]}`,
    );
  }
  const keys = [...(match?.[2] ?? "").matchAll(/\[([^\]]+)\]/g)].map((key) => key[1] ?? "");
  return { name, keys };
}

function resolve(piece: Exclude<Piece, string>, template: string, target: FormatTarget): JsonValue {
  let value = target.parameters.get(piece.name);
  if (value === undefined) throw notFound(template, target, "");
  for (const key of piece.keys) {
    value = member(value, key);
    if (value === undefined) throw notFound(template, target, ` (parameter ${piece.name} has no [${key}])`);
  }
  return value;
}

function member(value: JsonValue, key: string): JsonValue | undefined {
  if (isJsonArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function render(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (value === true) return "True";
  if (value === false) return "False";
  return value === null ? "None" : JSON.stringify(value);
}

function malformed(template: string, option: string, reason: string): VconductorError {
  return new VconductorError("invalid_options", `template: ${template} of option: ${option}: ${reason}`);
}

function notFound(template: string, { option, parameters }: FormatTarget, more: string): VconductorError {
  const names = [...parameters.keys()].join(", ");
  const text = `key in: ${template} not found in ProcessorIO parameters: [${names}] when formatting: ${option}${more}`;
  return new VconductorError("parameter_not_found", text);
}
