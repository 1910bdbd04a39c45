import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from "ajv";
import type { FastifySchema, FastifySchemaCompiler } from "fastify";
import { PipelineOptions } from "../pipelines/definition.ts";
import { coerceOptions } from "../processors/options-coerce.ts";

const ajv = new Ajv({
  useDefaults: true,
  allErrors: true,
  strict: false,
  verbose: true,
  validateFormats: false,
  logger: false,
});
ajv.addSchema(PipelineOptions);

/**
 * Checks the parts of a request against the route's schema. Text becomes a number or boolean where one is wanted,
 * in the spellings of the reference (`yes`, `ON`, `1` …); null, which Ajv would take for 0 and false, does not.
 */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  const own: unknown = schema;
  // Where a handler checks a part itself, as with all headers, the schema is there for the documentation.
  if (!isSchema(own) || httpPart === "headers" || own["x-checked-by-handler"] === true) return () => true;
  return coercing(own);
};

interface CoercingValidator<Value> {
  (data: unknown): false | { readonly value: Value };
  errors?: ErrorObject[];
}

/**
 * A validator that answers with the value, coerced and with its defaults; or false, with the errors in `errors`. Compiled
 * when it is first used: most of a server's hundred routes never are.
 */
export function coercing<Value>(schema: SchemaObject): CoercingValidator<Value> {
  let compiled: ValidateFunction<Value> | undefined;
  const validator: CoercingValidator<Value> = (data) => {
    const value: unknown = coerceOptions(schema, isJson(data) ? data : null);
    compiled ??= ajv.compile<Value>(schema);
    const check = compiled;
    if (check(value)) return { value };
    validator.errors = check.errors ?? [];
    return false;
  };
  return validator;
}

type Json = Parameters<typeof coerceOptions>[1];

/** What has been parsed from JSON, or from a URL, is JSON. */
function isJson(value: unknown): value is Json {
  return value !== undefined;
}

function isSchema(schema: unknown): schema is SchemaObject {
  return typeof schema === "object" && schema !== null;
}

export interface ValidationFinding {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
}

const places: Readonly<Record<string, string>> = {
  querystring: "query",
  params: "path",
  headers: "header",
  body: "body",
};

const mostFindings = 50;

/** What is wrong with a request, in the words of the reference's 422 answers. */
export function toFindings(errors: readonly ErrorObject[], part: string): readonly ValidationFinding[] {
  const place = places[part] ?? part;
  return errors.slice(0, mostFindings).map((error) => {
    const path = error.instancePath
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
      .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    if (error.keyword === "required") {
      const missing = String(error.params.missingProperty);
      return {
        type: "missing",
        loc: [place, ...path, missing],
        msg: "Field required",
        input: brief(error.data),
      };
    }
    if (error.keyword === "additionalProperties") {
      const extra = String(error.params.additionalProperty);
      const loc = [place, ...path, extra];
      return { type: "extra_forbidden", loc, msg: "Extra inputs are not permitted", input: null };
    }
    const [type, msg] = describe(error);
    return { type, loc: [place, ...path], msg, input: brief(error.data) };
  });
}

const typeNames: Readonly<Record<string, readonly [type: string, noun: string]>> = {
  integer: ["int", "integer"],
  number: ["float", "number"],
  boolean: ["bool", "boolean"],
  string: ["string", "string"],
  array: ["list", "list"],
  object: ["dict", "dictionary"],
};

function describe(error: ErrorObject): readonly [type: string, msg: string] {
  // Of something that may be null as well, what it is otherwise.
  const [wanted] = [error.params.type].flat().filter((type) => type !== "null");
  const [name, noun] = typeNames[String(wanted)] ?? [];
  if (error.keyword !== "type" || name === undefined) {
    return [error.keyword, `Input ${error.message ?? "is not valid"}`];
  }
  const parsed = typeof error.data === "string" && ["int", "float", "bool"].includes(name);
  return parsed
    ? [`${name}_parsing`, `Input should be a valid ${noun}, unable to parse the text as one`]
    : [`${name}_type`, `Input should be a valid ${noun}`];
}

/** The offending value, as long as it is short enough to be of help. */
function brief(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, 200);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.values(value);
  // Not stringified before it is known to be small: it may be the whole body.
  const small = members.length <= 20 && members.every((entry) => typeof entry !== "object" || entry === null);
  return small && JSON.stringify(value).length <= 500 ? value : {};
}
