import { Type } from "typebox";
import { DEFAULT_TENANT } from "../../access/principal.ts";
import { scopes } from "../../access/scopes.ts";
import { scopesFor } from "../../access/tokens/grant.ts";
import type { Token } from "../../access/tokens/token-store.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { answers, limitOf, Name, NoContent, ref, smallBody, TenantName } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Access"];
const Id = Type.Object({ token_id: Type.String({ minLength: 1, maxLength: 100 }) });
const dayMs = 86_400_000;

/** API tokens. */
export function tokenRoutes(app: App, { access: { tokens }, config }: HttpContext): void {
  app.post(
    "/tokens",
    {
      bodyLimit: smallBody(config),
      schema: {
        scope: ["admin"],
        tags,
        summary: "Create an API token",
        description: "The answer has the token's text, which is not kept and not shown again.",
        operationId: "post_token",
        body: Type.Object({
          name: Type.String({ minLength: 1, maxLength: 200, description: "For people" }),
          roles: Type.Array(Type.String(), { default: [], maxItems: 100 }),
          scopes: Type.Array(Type.String(), {
            default: [],
            maxItems: 100,
            description: `Some of ${scopes.join(", ")}`,
          }),
          tenant: Type.Optional(TenantName),
          groups: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { default: [], maxItems: 100 }),
          queues: Type.Optional(
            Type.Array(Name, { maxItems: 1000, description: "The queues it may work on. Default: all" }),
          ),
          ingest: Type.Optional(
            Type.Object(
              {
                queue: Name,
                per_minute: Type.Integer({
                  minimum: 0,
                  maximum: 1_000_000,
                  default: 0,
                  description: "0: no limit",
                }),
                hmac_secret: Type.Optional(
                  Type.String({
                    pattern: "^[A-Za-z_][A-Za-z0-9_]{0,100}$",
                    description: "The server's environment variable with the secret of X-Hub-Signature-256",
                  }),
                ),
              },
              { description: "A key that can only add vCons to this queue, and needs no role or scope" },
            ),
          ),
          expires_in_days: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 36_500 })),
        }),
        response: answers({
          201: Type.Object({ token: Type.String({ description: "Keep it" }), record: ref("Token") }),
        }),
      },
    },
    async (request, reply) => {
      const { name, groups, tenant = DEFAULT_TENANT, ingest, expires_in_days: days } = request.body;
      const created = await tokens.create({
        name,
        tenant,
        groups,
        queues: ingest === undefined ? request.body.queues : [ingest.queue],
        scopes: ingest === undefined ? scopesFor(request.body, config.roles) : ["vcon:ingest"],
        ingest: ingest && { perMinute: ingest.per_minute, hmacSecret: ingest.hmac_secret },
        expiresAt: days === undefined ? undefined : new Date(Date.now() + days * dayMs),
        createdBy: callerOf(request).id,
      });
      return json(reply.code(201).header("cache-control", "no-store"), {
        token: created.text,
        record: toJson(created.token),
      });
    },
  );

  app.get(
    "/tokens",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "List API tokens",
        description: "Newest first.",
        operationId: "list_tokens",
        querystring: Type.Object({
          limit: limitOf(1000, 100),
          cursor: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: answers({
          200: Type.Object({
            tokens: Type.Array(ref("Token")),
            next: Type.Union([Type.String(), Type.Null()]),
          }),
        }),
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query;
      const place = fromCursor(cursor, 2);
      const page = await tokens.list({
        limit,
        after:
          place === undefined ? undefined : { createdAt: new Date(String(place[0])), id: String(place[1]) },
      });
      const last = page.length === limit ? page.at(-1) : undefined;
      const next = last === undefined ? null : toCursor([last.createdAt.toISOString(), last.id]);
      return json(reply, { tokens: page.map(toJson), next });
    },
  );

  app.get(
    "/tokens/:token_id",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "Look at an API token",
        operationId: "get_token",
        params: Id,
        response: answers({ 200: ref("Token") }, 404),
      },
    },
    async (request, reply) => json(reply, toJson(await tokens.get(request.params.token_id))),
  );

  app.delete(
    "/tokens/:token_id",
    {
      schema: {
        scope: ["admin"],
        tags,
        summary: "Revoke an API token",
        description: "It is refused from now on, by all servers. Its record stays.",
        operationId: "delete_token",
        params: Id,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await tokens.revoke(request.params.token_id);
      return noContent(reply);
    },
  );
}

function toJson(token: Token) {
  return {
    id: token.id,
    name: token.name,
    tenant: token.tenant,
    scopes: token.scopes,
    groups: token.groups,
    queues: token.queues ?? null,
    ingest: token.ingest
      ? { per_minute: token.ingest.perMinute, hmac_secret: token.ingest.hmacSecret ?? null }
      : null,
    created_at: token.createdAt,
    created_by: token.createdBy,
    expires_at: token.expiresAt ?? null,
    revoked_at: token.revokedAt ?? null,
    last_used_at: token.lastUsedAt ?? null,
    last_used_from: token.lastUsedFrom ?? null,
  };
}
