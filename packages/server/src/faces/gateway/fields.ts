import type { FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import { GatewayError } from "./problems.ts";

/** What a request says: parameters of its address and of a form in one, the form's first; and a JSON object as its body. */
export interface Fields {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Forms and JSON, whatever else the API takes. */
export function addParsers(app: App): void {
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    async (_: unknown, text: string) => ({
      form: [...new URLSearchParams(text)],
    }),
  );
  app.addContentTypeParser("application/json", { parseAs: "string" }, async (_: unknown, text: string) => {
    if (text.trim() === "") return undefined;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return { json: value };
    } catch (error) {
      throw new GatewayError(
        "ValueError",
        `The body is no JSON: ${error instanceof Error ? error.message : error}`,
      );
    }
    throw new GatewayError("ValueError", "The body should be a JSON object");
  });
}

/** @throws GatewayError the body is no JSON object */
export async function fieldsIn(request: FastifyRequest): Promise<Fields> {
  const query: Readonly<Record<string, unknown>> = Object(request.query);
  const fields = new Map(
    Object.entries(query).map(([name, value]) => [name, String(Array.isArray(value) ? value.at(-1) : value)]),
  );
  const { form, json }: { form?: readonly (readonly [string, string])[]; json?: object } = Object(
    request.body,
  );
  for (const [name, value] of form ?? []) fields.set(name, value);
  if (request.isMultipart()) {
    for await (const part of request.parts()) {
      if (part.type === "field") fields.set(part.fieldname, String(part.value));
      // Files are no part of what services get here.
      else part.file.resume();
    }
  }
  return { fields, body: Object(json ?? {}) };
}
