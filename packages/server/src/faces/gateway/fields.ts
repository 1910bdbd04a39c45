import type { FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import { type Field, readForm } from "./form.ts";
import { GatewayError } from "./problems.ts";

/**
 * What a request says: parameters of its address and of a form in one, and a JSON object as its body. Of several with one
 * name the first counts, those of the address before those of the form.
 */
export interface Fields {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Forms and JSON, whatever else the API takes. Other bodies are refused, and those that do not say what they are ignored. */
export function addParsers(app: App): void {
  app.removeContentTypeParser("*");
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    async (_: unknown, text: string) => ({
      form: [...new URLSearchParams(text)],
    }),
  );
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i,
    { parseAs: "string" },
    async (_: unknown, text: string) => (text.trim() === "" ? undefined : { json: parseObject(text) }),
  );
  app.addContentTypeParser("*", { parseAs: "buffer" }, async ({ headers }: FastifyRequest, body: Buffer) => {
    const type = headers["content-type"] ?? "";
    if (type === "" || body.length === 0) return undefined;
    const text = `The body should be a form or JSON, not ${type.slice(0, 100)}`;
    throw new GatewayError("ValueError", text, 415);
  });
}

/** @throws GatewayError the body is a form that cannot be read */
export async function fieldsIn(request: FastifyRequest): Promise<Fields> {
  const query: Readonly<Record<string, unknown>> = Object(request.query);
  const { form = [], json }: { form?: readonly Field[]; json?: object } = Object(request.body);
  const all: Field[] = Object.entries(query).map(([name, value]) => [
    name,
    String(Array.isArray(value) ? value[0] : value),
  ]);
  all.push(...form);
  // Files are no part of what services get here.
  all.push(...(await readForm(request, async ({ content }) => void content.resume())));
  const fields = new Map<string, string>();
  for (const [name, value] of all) if (!fields.has(name)) fields.set(name, value);
  return { fields, body: Object(json ?? {}) };
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new GatewayError(
      "ValueError",
      `The body is no JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  throw new GatewayError("ValueError", "The body should be a JSON object");
}
