import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { TObject } from "typebox";
import { VconductorError } from "../errors.ts";
import { commonOptions } from "./common-options.ts";
import type { EffectiveOptions, Processor } from "./define.ts";
import { parseTemplate } from "./format.ts";
import { isJsonObject, isRecord } from "./json.ts";
import { coerceOptions, takeDefaults } from "./options-coerce.ts";
import { maskSecrets } from "./options-secrets.ts";

/** One thing that is wrong with options; the list form of a 422 `detail`. */
export interface OptionFinding {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
}

export interface OptionsPlace {
  /** Where the options are in what the caller sent; goes before each finding's own place. Default: []. */
  readonly loc?: readonly (string | number)[];
}

const ajv = new Ajv({
  allErrors: true,
  strict: false,
  useDefaults: true,
  verbose: true,
  validateFormats: false,
  logger: false,
});

const schemaProblem: { errors?: Partial<ErrorObject>[] } & ((on: boolean, value: object) => boolean) = (
  on,
  value,
) => {
  try {
    if (on) new Ajv({ strict: false, validateFormats: false, logger: false }).compile(value);
    return true;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    schemaProblem.errors = [
      { keyword: "isJsonSchema", message: `should be a JSON Schema: ${why}`, params: {} },
    ];
    return false;
  }
};
// For options that are a JSON Schema themselves.
ajv.addKeyword({
  keyword: "isJsonSchema",
  type: "object",
  schemaType: "boolean",
  errors: true,
  validate: schemaProblem,
});

const validators = new WeakMap<Processor, ValidateFunction<EffectiveOptions>>();

/** The JSON Schema of all options of a processor, and its name among the components of the API description. */
export function optionsComponent(processor: Processor): { readonly name: string; readonly schema: object } {
  const { options } = processor;
  const properties: Readonly<Record<string, object>> = { ...commonOptions.properties, ...options.properties };
  const required = (options.required ?? []).filter((name) => !("default" in (properties[name] ?? {})));
  return {
    name: `${processor.name.replace(/(?:^|[^A-Za-z0-9]+)(.)/g, (_, letter) => letter.toUpperCase())}Options`,
    schema: {
      ...options,
      title: processor.title,
      description: processor.description,
      properties,
      required,
      additionalProperties: true,
    },
  };
}

function validatorOf(processor: Processor): ValidateFunction<EffectiveOptions> {
  const known = validators.get(processor);
  if (known !== undefined) return known;
  const compiled = ajv.compile<EffectiveOptions>(optionsComponent(processor).schema);
  validators.set(processor, compiled);
  return compiled;
}

/** Whether `schema` describes an object and its members, as the options of a processor must. */
export function isObjectSchema(schema: unknown): schema is TObject {
  return isRecord(schema) && schema.type === "object" && isRecord(schema.properties);
}

/** @throws Error the processor's options are not a JSON Schema that can be used */
export function checkOptionsSchema(processor: Processor): void {
  validatorOf(processor);
}

/**
 * What the processor will run with: defaults filled in, text turned into numbers and booleans where the
 * schema wants those, unknown options kept. `raw` is not changed.
 *
 * @throws invalid_options with the list of findings as `detail`
 */
export function validateOptions(
  processor: Processor,
  raw: unknown,
  place: OptionsPlace = {},
): EffectiveOptions {
  const { options, findings } = examine(processor, raw, place);
  if (options === undefined) throw invalidOptions(processor, findings);
  return options;
}

/**
 * Checks options that are stored in a pipeline: as `validateOptions`, except that an option which
 * `format_options` will give a value may be missing or of another type. Templates must be well formed.
 *
 * @throws invalid_options with the list of findings as `detail`
 */
export function checkDefinitionOptions(processor: Processor, raw: unknown, place: OptionsPlace = {}): void {
  const loc = place.loc ?? [];
  const templates = isJsonObject(raw) && isJsonObject(raw.format_options) ? raw.format_options : {};
  const findings = examine(processor, raw, place).findings.filter((finding) => {
    const option = finding.loc[loc.length];
    return typeof option !== "string" || option === "format_options" || !Object.hasOwn(templates, option);
  });
  for (const [option, template] of Object.entries(templates)) {
    if (typeof template !== "string" || option === "format_options") continue;
    const msg = templateProblem(template, option);
    if (msg === undefined) continue;
    findings.push({ type: "template", loc: [...loc, "format_options", option], msg, input: template });
  }
  if (findings.length > 0) throw invalidOptions(processor, findings);
}

function templateProblem(template: string, option: string): string | undefined {
  try {
    parseTemplate(template, option);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface Examined {
  readonly options?: EffectiveOptions;
  readonly findings: OptionFinding[];
}

function examine(processor: Processor, raw: unknown, { loc = [] }: OptionsPlace): Examined {
  if (!isJsonObject(raw)) {
    return { findings: [{ type: "dict_type", loc, msg: "Input should be a valid dictionary", input: raw }] };
  }
  const validate = validatorOf(processor);
  const { schema } = validate;
  const options: unknown = coerceOptions(schema, takeDefaults(schema, raw));
  if (validate(options)) return { options, findings: [] };
  const shown = maskSecrets(processor, raw);
  return { findings: (validate.errors ?? []).map((error) => toFinding(error, shown, loc)) };
}

function toFinding(error: ErrorObject, shown: unknown, prefix: readonly (string | number)[]): OptionFinding {
  const loc: (string | number)[] = [];
  let input = shown;
  for (const part of error.instancePath.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    loc.push(Array.isArray(input) ? Number(key) : key);
    input = Array.isArray(input) ? input[Number(key)] : isJsonObject(input) ? input[key] : undefined;
  }
  if (error.keyword === "required") {
    const missing: unknown = error.params.missingProperty;
    return { type: "missing", loc: [...prefix, ...loc, String(missing)], msg: "Field required", input };
  }
  const [type, msg] = describe(error, input);
  return { type, loc: [...prefix, ...loc], msg, input };
}

/** Type and message as existing clients know them (pydantic's), where there is such a one. */
function describe(error: ErrorObject, input: unknown): readonly [type: string, msg: string] {
  if (error.keyword !== "type") return [error.keyword, `Input ${error.message ?? "is not valid"}`];
  const text = typeof input === "string";
  switch (error.params.type) {
    case "string":
      return ["string_type", "Input should be a valid string"];
    case "integer":
      return text
        ? ["int_parsing", "Input should be a valid integer, unable to parse string as an integer"]
        : ["int_type", "Input should be a valid integer"];
    case "number":
      return text
        ? ["float_parsing", "Input should be a valid number, unable to parse string as a number"]
        : ["float_type", "Input should be a valid number"];
    case "boolean":
      return input === null || typeof input === "object"
        ? ["bool_type", "Input should be a valid boolean"]
        : ["bool_parsing", "Input should be a valid boolean, unable to interpret input"];
    case "array":
      return ["list_type", "Input should be a valid list"];
    case "object":
      return ["dict_type", "Input should be a valid dictionary"];
    default:
      return ["type", `Input ${error.message ?? "is of the wrong type"}`];
  }
}

function invalidOptions(processor: Processor, findings: readonly OptionFinding[]): VconductorError {
  const list = findings.map(({ loc, msg }) => `${loc.join(".") || "options"}: ${msg}`).join("; ");
  return new VconductorError("invalid_options", `processor: ${processor.name} options: ${list}`, {
    detail: findings,
  });
}
