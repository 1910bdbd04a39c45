import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { Type } from "typebox";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";
import { answersDescription } from "./openapi-text.ts";
import { headerSchemas, problem } from "./schemas.ts";

const tags = [
  { name: "Admin: Servers", description: "The servers, and the queues that this one tends" },
  { name: "Admin: Job Queues", description: "Queues and the jobs that wait in them" },
  { name: "Admin: Pipelines", description: "Pipeline definitions" },
  { name: "Admin: In Progress Jobs", description: "Jobs in the hands of workers" },
  { name: "Admin: Access", description: "API tokens, and who did what" },
  { name: "vCon: Storage CRUD", description: "Storing, reading, finding and deleting vCons" },
  { name: "Ingest", description: "Adding vCons to a queue, for those who may do nothing else" },
  { name: "vCon: Access", description: "Who may do what with a vCon" },
  { name: "vCon: Processors", description: "Running one processor" },
  { name: "vCon: Pipelines", description: "Running a pipeline" },
  { name: "Media", description: "Recordings and files that were moved out of vCons" },
  { name: "Runs", description: "What ran, runs, and how it came out" },
  { name: "Remote Workers", description: "Jobs for workers that are not ours, over HTTP" },
  { name: "Events", description: "What happens, as it happens" },
  { name: "Operations", description: "Health, versions and metrics" },
];

/** How callers say who they are; only with ACCESS=on do they have to. */
const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", description: "An API token, or a JWT" },
  conserver: { type: "apiKey", in: "header", name: "x-conserver-api-token", description: "An API token" },
} as const;

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 30" height="30">
<text x="0" y="22" font-family="sans-serif" font-size="22" font-weight="700" fill="#fff">vConductor</text></svg>`;

/**
 * The documentation pages load nothing from elsewhere. The plug-in's own policy also has browsers fetch everything
 * over https, which a server without TLS does not offer.
 */
const contentPolicy = [
  "default-src 'self'",
  "base-uri 'self'",
  "font-src 'self' data:",
  "frame-ancestors 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "script-src-attr 'none'",
  "style-src 'self'",
].join("; ");

/** Collects the routes that come after it into an OpenAPI 3.1 document. */
export async function addOpenApi(app: App, { version }: HttpContext): Promise<void> {
  addByMethod(app);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "vConductor",
        version: version.vconductor,
        description: answersDescription,
        license: { name: "MIT", identifier: "MIT" },
      },
      tags,
      components: { securitySchemes },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === "string" ? json.$id : `schema-${index}`,
    },
  });
}

/** Serves the document, and Swagger UI with no file from elsewhere. */
export async function addDocumentation(app: App): Promise<void> {
  let text: string | undefined;
  app.get("/openapi.json", { schema: { hide: true, scope: "public" } }, async (_, reply) => {
    text ??= JSON.stringify(tidied(app.swagger()));
    return reply.type("application/json").send(text);
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { docExpansion: "none", tryItOutEnabled: true, url: "/openapi.json" },
    transformSpecification: (document) => {
      const tidy = tidied(document);
      return isRecord(tidy) ? tidy : document;
    },
    theme: { title: "vConductor API" },
    logo: { type: "image/svg+xml", content: Buffer.from(logo), href: "/docs" },
    staticCSP: true,
    transformStaticCSP: () => contentPolicy,
  });
}

const IdempotencyKey = Type.Optional(
  Type.String({
    maxLength: 255,
    description: "A repeat of the request with the same key gets the first answer and does nothing",
  }),
);
const replayed = headerSchemas({
  "Idempotency-Replayed": "true when this is the answer to an earlier request",
});

/** What a route takes and answers because of its method and input. */
function addByMethod(app: App): void {
  app.addHook("onRoute", ({ method, schema }) => {
    if (schema === undefined || schema.hide === true) return;
    const response: Record<string, unknown> = isRecord(schema.response) ? { ...schema.response } : {};
    if (method === "GET") {
      const { params, querystring } = schema;
      // Nothing is given that could be wrong.
      if (params === undefined && querystring === undefined) delete response[422];
      schema.response = response;
      return;
    }
    response[413] ??= problem(413);
    schema.response = response;
    if (method !== "POST" && method !== "PUT") return;
    response[409] ??= problem(409);
    for (const [status, answer] of Object.entries(response)) {
      if (!status.startsWith("2") || !isRecord(answer)) continue;
      const own = isRecord(answer.headers) ? answer.headers : {};
      response[status] = { ...answer, headers: { ...own, ...replayed } };
    }
    const headers =
      isRecord(schema.headers) && isRecord(schema.headers.properties) ? schema.headers.properties : {};
    schema.headers = Type.Object({ ...headers, "idempotency-key": IdempotencyKey });
  });
}

/**
 * Takes out what only the server itself needs to know. What has a default may be left out of a request, although
 * the validator, which fills it in first, counts it as required.
 */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (!isRecord(value)) return value;
  const members = Object.entries(value)
    .filter(([key]) => key !== "x-checked-by-handler" && key !== "$id")
    .map(([key, entry]) => [key, tidied(entry)]);
  const tidy: Record<string, unknown> = Object.fromEntries(members);
  if (isRecord(tidy.schema) && "default" in tidy.schema) tidy.required = false;
  const { properties, required } = tidy;
  if (isRecord(properties) && Array.isArray(required)) {
    tidy.required = required.filter((name) => {
      const property = properties[String(name)];
      return !isRecord(property) || !("default" in property);
    });
  }
  return tidy;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
