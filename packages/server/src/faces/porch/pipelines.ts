import { type Static, Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import { type FaceOptions, ownRules } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { requireStorable } from "../../http/storable.ts";
import type { ListedToken } from "../../ledger/ledger.ts";
import { asReader, requireAdministrator, withToken } from "./authentication.ts";
import { pipelineJson } from "./json.ts";
import { both, linkNext } from "./paths.ts";
import { Pipeline, PipelineQuery, TokenQuery } from "./schemas.ts";

/** Pipelines, and the tokens that may work on them. */
export function pipelineRoutes(app: App, { context }: FaceOptions): void {
  const { ledger } = context;
  const reads = asReader(context);
  const writes = withToken(context, "always");

  both(app, "GET", "/pipelines", {
    schema: {
      ...ownRules,
      querystring: PipelineQuery,
    },
    ...reads,
    handler: async (request, reply) => {
      const { uri = "", version = "" } = request.query as Static<typeof PipelineQuery>;
      const found = await ledger.listPipelines({
        ...(uri === "" ? {} : { uri }),
        ...(version === "" ? {} : { version }),
      });
      return json(reply, found.map(pipelineJson));
    },
  });

  app.get("/pipelines/:name", { schema: ownRules, ...reads }, async (request, reply) => {
    const { name } = request.params as { name: string };
    return json(reply, pipelineJson(await ledger.getPipeline(name)));
  });

  both(app, "POST", "/pipelines", {
    schema: { ...ownRules, body: Pipeline },
    ...writes,
    handler: async (request, reply) => {
      requireAdministrator(request);
      const { name, uri, version } = request.body as {
        name?: string;
        uri?: string | null;
        version?: string | null;
      };
      if (name === undefined || typeof uri !== "string" || typeof version !== "string") {
        throw new VconductorError("bad_request", "Pipeline must specify a name and URI and version");
      }
      requireStorable({ name, uri, version }, ["body"]);
      return json(reply.code(201), pipelineJson(await ledger.addPipeline({ name, uri, version })));
    },
  });

  app.post("/pipelines/:name/token/:description", { schema: ownRules, ...writes }, async (request, reply) => {
    requireAdministrator(request);
    const { name, description } = request.params as { name: string; description: string };
    const token = await ledger.addToken({ pipeline: await ledger.getPipeline(name), description });
    return json(reply.code(201), { name, description, token });
  });

  app.get(
    "/tokens",
    { schema: { ...ownRules, querystring: TokenQuery }, ...writes },
    async (request, reply) => {
      requireAdministrator(request);
      const { limit, after } = request.query as Static<typeof TokenQuery>;
      const tokens = await ledger.listTokens({ limit, after });
      linkNext(request, reply, { limit, page: tokens });
      return json(reply, tokens.map(tokenJson));
    },
  );

  app.delete(
    "/tokens/:token_id",
    {
      schema: {
        ...ownRules,
        params: Type.Object({ token_id: Type.Integer({ minimum: 1, maximum: 2 ** 53 - 1 }) }),
      },
      ...writes,
    },
    async (request, reply) => {
      requireAdministrator(request);
      const { token_id: id } = request.params as { token_id: number };
      await ledger.revokeToken(id);
      return json(reply, { id, revoked: true });
    },
  );
}

function tokenJson({ id, description, pipeline, issuedAt, revokedAt }: ListedToken) {
  return { id, description, name: pipeline?.name ?? null, issued: issuedAt, revoked: revokedAt };
}
