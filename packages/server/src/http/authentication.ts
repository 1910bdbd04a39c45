import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { Authenticator } from "../access/authenticator.ts";
import { anonymous, isAllowed, type Principal, type Viewer, viewerOf } from "../access/principal.ts";
import { addressKey, RateLimit } from "../access/rate-limit.ts";
import type { Scope } from "../access/scopes.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";
import { tooMany } from "./limits.ts";
import { problem } from "./schemas.ts";

/** Who may call a route: everybody, or whoever has one of these scopes. */
export type RouteScope = "public" | readonly Scope[];

declare module "fastify" {
  interface FastifySchema {
    /** Every route has one: see `addAuthentication`. */
    scope?: RouteScope;
  }
  interface FastifyRequest {
    /** Who calls, also if that one is not let in. On public routes, and until it is known, undefined. */
    caller: Principal | undefined;
  }
}

/** Headers with a token, other than Authorization. Senders of the vCon conserver use the first. */
const tokenHeaders = ["x-conserver-api-token"] as const;

/**
 * Lets a request through only if its caller has the scope that the route's schema names: 401 without a good
 * credential, 403 without the scope. A route whose schema names none stops the server from starting.
 */
export function addAuthentication(
  app: App,
  { config, access }: Pick<HttpContext, "config" | "access">,
): void {
  app.decorateRequest("caller", undefined);
  app.addHook("onRoute", declareScope);
  const refusals = new RateLimit({ limit: config.authFailures });

  app.addHook("onRequest", (request, reply, done) => {
    const scope = request.routeOptions.schema?.scope;
    if (config.access === "off") {
      request.caller = anonymous;
      return done();
    }
    if (request.is404 || scope === "public" || request.method === "OPTIONS") return done();
    admit({ request, reply, authenticator: access.authenticator, refusals, scope: scope ?? [] }).then(
      () => done(),
      done,
    );
  });
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Principal {
  if (request.caller === undefined) throw new Error(`nobody was let in to ${request.url}`);
  return request.caller;
}

/** With whose eyes the stores are to look. */
export function viewerIn(request: FastifyRequest): Viewer {
  return viewerOf(callerOf(request));
}

/**
 * Whether the caller of a request that goes on for long would be let in again now: its token may have been revoked, or
 * have expired. While that cannot be found out, it may stay.
 */
export async function isStillAllowed(
  request: FastifyRequest,
  { config, access }: Pick<HttpContext, "config" | "access">,
): Promise<boolean> {
  if (config.access === "off") return true;
  const scope = request.routeOptions.schema?.scope ?? [];
  const credential = credentialOf(request);
  if (scope === "public" || credential === undefined) return scope === "public";
  try {
    const verdict = await access.authenticator.check(credential, request.ip);
    return "principal" in verdict && isAllowed(verdict.principal, scope);
  } catch {
    return true;
  }
}

async function admit({
  request,
  reply,
  authenticator,
  refusals,
  scope,
}: {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly authenticator: Authenticator;
  readonly refusals: RateLimit;
  readonly scope: readonly Scope[];
}): Promise<void> {
  const credential = credentialOf(request);
  if (credential === undefined) {
    reply.header("www-authenticate", 'Bearer realm="vConductor"');
    throw new VconductorError(
      "unauthorized",
      "Who are you? Send Authorization: Bearer with an API token or a JWT",
    );
  }
  const verdict = await authenticator.check(credential, request.ip);
  if ("refused" in verdict) {
    // Only what is refused counts, and only who is refused is told to wait: nobody can lock out another, not even one
    // who shares the address.
    const allowance = refusals.take(addressKey(request.ip));
    if (!allowance.allowed) throw tooMany("Too many refused credentials from this address", allowance);
    reply.header("www-authenticate", 'Bearer realm="vConductor", error="invalid_token"');
    throw new VconductorError("unauthorized", `The credential is not good: ${verdict.refused}`);
  }
  const { principal } = verdict;
  request.caller = principal;
  if (!isAllowed(principal, scope)) {
    const wanted = scope.join(" or ");
    reply.header(
      "www-authenticate",
      `Bearer realm="vConductor", error="insufficient_scope", scope="${scope.join(" ")}"`,
    );
    throw new VconductorError("forbidden", `${principal.name} lacks the scope ${wanted}`);
  }
}

/**
 * The token in whichever header it came. The scheme's name is read in any case. With Basic the password is the token:
 * for clients that take nothing but a URL.
 */
function credentialOf({ headers }: FastifyRequest): string | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
  if (bearer !== undefined) return bearer;
  const [, basic] = /^basic +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
  if (basic !== undefined) {
    const text = Buffer.from(basic, "base64").toString();
    const password = text.slice(text.indexOf(":") + 1);
    if (password !== "") return password;
  }
  for (const name of tokenHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/** @throws Error a route does not say who may call it */
function declareScope(route: RouteOptions): void {
  const { schema, url, method } = route;
  if (method === "OPTIONS") return;
  // The files of the documentation pages come with their package.
  if (url.startsWith("/docs")) route.schema = { hide: true, ...schema, scope: "public" };
  if (route.schema?.hide === true && route.schema.scope === "public") return;
  const scope = schema?.scope;
  if (schema === undefined || scope === undefined) {
    throw new Error(`${method} ${url} does not say in its schema who may call it (scope)`);
  }
  if (scope === "public" || schema.hide === true) return;
  const response = isRecord(schema.response) ? schema.response : {};
  schema.response = { ...response, 401: problem(401), 403: problem(403), 429: problem(429) };
  schema.security = [{ bearer: [...scope] }, { conserver: [...scope] }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
