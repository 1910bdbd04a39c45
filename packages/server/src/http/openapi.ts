import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";
import { answersDescription } from "./openapi-text.ts";

const tags = [
  { name: "Admin: Servers", description: "The servers, and the queues that this one tends" },
  { name: "Admin: Job Queues", description: "Queues and the jobs that wait in them" },
  { name: "Admin: Pipelines", description: "Pipeline definitions" },
  { name: "Admin: In Progress Jobs", description: "Jobs in the hands of workers" },
  { name: "vCon: Storage CRUD", description: "Storing, reading, finding and deleting vCons" },
  { name: "vCon: Processors", description: "Running one processor" },
  { name: "vCon: Pipelines", description: "Running a pipeline" },
  { name: "Runs", description: "What ran, runs, and how it came out" },
  { name: "Events", description: "What happens, as it happens" },
  { name: "Operations", description: "Health, versions and metrics" },
];

/** Collects the routes that come after it into an OpenAPI 3.1 document. */
export async function addOpenApi(app: App, { version }: HttpContext): Promise<void> {
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
  app.get("/openapi.json", { schema: { hide: true } }, async (_, reply) => {
    text ??= JSON.stringify(tidied(app.swagger()));
    return reply.type("application/json").send(text);
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { docExpansion: "none", tryItOutEnabled: true, url: "/openapi.json" },
    transformSpecification: (document) => document,
    staticCSP: true,
  });
}

/** Takes out what only the server itself needs to know. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "x-checked-by-handler" && key !== "$id")
      .map(([key, entry]) => [key, tidied(entry)]),
  );
}
