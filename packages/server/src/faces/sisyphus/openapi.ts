import type { FastifyRequest, FastifySchema } from "fastify";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { sendJson } from "./problems.ts";

/**
 * A small OpenAPI document of the routes that come after it, each with a summary, at the place of the reference's Swagger
 * document; and the way to the documentation pages, which front ends link to.
 */
export function addOpenApi(app: App, { context, prefix }: FaceOptions): void {
  const paths: Record<string, Record<string, object>> = {};
  app.addHook("onRoute", ({ method, url, schema }) => {
    if (schema?.summary === undefined || typeof method !== "string" || method === "HEAD") return;
    const path = url.slice(prefix.length).replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, schema) };
  });

  app.get("/swagger.json", { schema: ownRules }, async (_, reply) => {
    const info = { title: "Sisyphus", version: "1.3.3", description: "On vConductor's job engine." };
    return sendJson(reply, {
      openapi: "3.1.0",
      info,
      servers: [{ url: prefix === "" ? "/" : prefix }],
      paths,
    });
  });

  const docsFrom = ({ hostname }: FastifyRequest) => {
    const { protocol, port } = context.config.rest;
    // An address of the face's own has none of the server's pages.
    return prefix === "" ? `${protocol}://${hostname}:${port}/docs` : "/docs";
  };
  app.get("/doc", { schema: ownRules }, async (request, reply) => reply.redirect(docsFrom(request)));
}

function operationOf(path: string, { summary, body, querystring }: FastifySchema): object {
  const text = { type: "string" };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: text,
  }));
  const query: Readonly<Record<string, unknown>> = Object(querystring).properties ?? {};
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: "query", schema }));
  const content = { "application/json": { schema: body } };
  return {
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined ? {} : { requestBody: { required: true, content } }),
  };
}
