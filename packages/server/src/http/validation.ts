import { Ajv, type ErrorObject, type SchemaObject } from "ajv";
import type { FastifyRequest, FastifySchema, FastifySchemaCompiler } from "fastify";
import { PipelineOptions } from "../pipelines/definition.ts";

const ajv = new Ajv({
  coerceTypes: true,
  useDefaults: true,
  allErrors: true,
  strict: false,
  verbose: true,
  validateFormats: false,
  logger: false,
});
ajv.addSchema(PipelineOptions);

/** Checks the parts of a request against the route's schema, turning text into numbers and booleans where wanted. */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  // Where a handler checks the body itself, the schema is there for the documentation.
  const own: unknown = schema;
  if (!isSchema(own) || (httpPart === "body" && own["x-checked-by-handler"] === true)) return () => true;
  return ajv.compile(own);
};

function isSchema(schema: unknown): schema is SchemaObject {
  return typeof schema === "object" && schema !== null;
}

const spellings: Readonly<Record<string, string>> = {
  1: "true",
  yes: "true",
  on: "true",
  t: "true",
  y: "true",
  true: "true",
  0: "false",
  no: "false",
  off: "false",
  f: "false",
  n: "false",
  false: "false",
};

/** Query booleans may be spelt as the reference's clients spell them. */
export async function normaliseBooleans(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.querystring;
  const { query } = request;
  if (!isSchema(schema) || !isRecord(query)) return;
  const properties: unknown = schema.properties;
  if (!isRecord(properties)) return;
  for (const [name, value] of Object.entries(query)) {
    const property = properties[name];
    if (typeof value !== "string" || !isRecord(property) || property.type !== "boolean") continue;
    query[name] = spellings[value.toLowerCase()] ?? value;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface ValidationFinding {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
}

const types: Readonly<Record<string, string>> = {
  integer: "int_parsing",
  number: "float_parsing",
  boolean: "bool_parsing",
  string: "string_type",
  array: "list_type",
  object: "dict_type",
};

const places: Readonly<Record<string, string>> = {
  querystring: "query",
  params: "path",
  headers: "header",
  body: "body",
};

/** What is wrong with a request, in the words of the reference's 422 answers. */
export function toFindings(errors: readonly ErrorObject[], part: string): readonly ValidationFinding[] {
  const place = places[part] ?? part;
  return errors.slice(0, 50).map((error) => {
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
    const type =
      error.keyword === "type" ? (types[String(error.params.type)] ?? "type_error") : error.keyword;
    return {
      type,
      loc: [place, ...path],
      msg: `Input ${error.message ?? "is not valid"}`,
      input: brief(error.data),
    };
  });
}

/** The offending value, as long as it is short enough to be of help. */
function brief(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, 200);
  if (typeof value !== "object" || value === null) return value;
  return JSON.stringify(value).length <= 500 ? value : {};
}
