import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { type Answer, at } from "./call.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: unknown;
}

/** One operation of the API, as the document describes it. */
export interface Operation {
  /** As in `GET /vcon/{vcon_uuid}`. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly parameters: readonly Parameter[];
  /** The schema of a JSON body; undefined when the operation takes none. */
  readonly body: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
}

/** The OpenAPI document of a server, and whether answers are what it says. */
export class OpenApiDocument {
  readonly json: unknown;
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #validators = new Map<unknown, ValidateFunction>();

  constructor(json: unknown) {
    this.json = json;
    this.operations = Object.entries(Object(at(json, "paths"))).flatMap(([path, item]) =>
      Object.entries(Object(item)).map(([method, operation]) => toOperation(method, path, operation)),
    );
  }

  operation(key: string): Operation {
    const found = this.operations.find((operation) => operation.key === key);
    if (found === undefined) throw new Error(`the document has no ${key}`);
    return found;
  }

  /** What differs between an answer and what the document says about it; empty when it is true. */
  differences({ key, responses }: Operation, answer: Answer): readonly string[] {
    const about = `${key} ${answer.status}`;
    const response = responses[answer.status];
    if (response === undefined)
      return [`${about}: the status is not documented: ${answer.text.slice(0, 200)}`];
    const content = Object.entries(Object(at(response, "content")));
    const missing = Object.keys(Object(at(response, "headers"))).filter(
      (name) => name !== "Idempotency-Replayed" && !answer.headers.has(name),
    );
    const differences = missing.map((name) => `${about}: the documented header ${name} is missing`);
    const [type, media] = content[0] ?? [];
    if (type === undefined) {
      return answer.text === "" ? differences : [...differences, `${about}: a body, and none is documented`];
    }
    if (type === "*/*") return differences;
    const given = answer.headers.get("content-type") ?? "";
    // JSON has no parameters; text may tell its charset.
    if (type === "application/json" ? given !== type : !given.startsWith(type)) {
      return [...differences, `${about}: the type is ${given}, not ${type}`];
    }
    if (type !== "application/json") return differences;
    return [
      ...differences,
      ...this.mismatches(at(media, "schema"), answer.json).map((text) => `${about}: ${text}`),
    ];
  }

  /** Why a value does not fit a schema of the document; empty when it does. */
  mismatches(schema: unknown, value: unknown): readonly string[] {
    const validate = this.#validators.get(schema) ?? this.#compile(schema);
    this.#validators.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`);
  }

  #compile(schema: unknown): ValidateFunction {
    // References are from the root of the document, so the root comes along.
    return this.#ajv.compile({ ...Object(schema), components: at(this.json, "components") });
  }
}

function toOperation(method: string, path: string, operation: unknown): Operation {
  const parameters: readonly Parameter[] = Object(at(operation, "parameters") ?? []);
  return {
    key: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    id: String(at(operation, "operationId")),
    parameters,
    body: at(operation, "requestBody", "content", "application/json", "schema"),
    responses: Object(at(operation, "responses")),
  };
}

/** Every object within a JSON value. */
export function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== "object" || value === null) return;
  yield value;
  for (const entry of Object.values(value)) yield* objectsIn(entry);
}
