import type { FastifyRequest } from "fastify";
import { DEFAULT_TENANT, type Principal } from "../../access/principal.ts";
import { VconductorError } from "../../errors.ts";
import type { HttpContext } from "../../http/context.ts";
import type { LedgerPipeline, LedgerToken } from "../../ledger/ledger.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** With which token of the ledger a request came; on its writing routes there is one. */
    ledgerToken: LedgerToken | undefined;
  }
}

type Context = Pick<HttpContext, "access" | "config" | "ledger">;

/**
 * Whoever has a good token: one of the ledger's own, or where there is access control an API token of an administrator,
 * who is one here too.
 *
 * @throws forbidden, in the words of npg_porch
 */
async function tokenOf(request: FastifyRequest, context: Context): Promise<LedgerToken> {
  const { scheme, credential } = credentialOf(request);
  if (credential === "") throw new VconductorError("forbidden", "Not authenticated");
  if (scheme !== "bearer") throw new VconductorError("forbidden", "Invalid authentication credentials");
  const own = /^[0-9a-f]{32}$/i.test(credential) ? await context.ledger.findToken(credential) : undefined;
  // For the audit trail, which only access control has.
  if (own !== undefined && context.config.access === "on") request.caller = callerWith(own);
  const token = own ?? (await administrator(credential, request, context));
  if (token === undefined) throw new VconductorError("forbidden", "Invalid token");
  return token;
}

/** Reading is free, unless there is access control: then any good token will do. */
async function mayRead(request: FastifyRequest, context: Context): Promise<void> {
  if (context.config.access === "off") return;
  const { credential } = credentialOf(request);
  const principal = await principalOf(credential, request, context);
  if (principal !== undefined) {
    const { tenant, scopes } = principal;
    const isOurs = tenant === DEFAULT_TENANT || scopes.includes("admin");
    const wanted = ["admin", "queue:write", "process:run", "job:work"] as const;
    if (isOurs && wanted.some((scope) => scopes.includes(scope))) return;
  }
  await tokenOf(request, context);
}

/**
 * For routes that change something: whoever has no good token is refused before the request is looked at.
 * @param audited what the audit trail has of them. Default: refusals, as the ledger keeps a history of its tasks itself
 */
export function withToken(context: Context, audited: "always" | "refusals" = "refusals") {
  return {
    config: { audited },
    preValidation: async (request: FastifyRequest) => {
      request.ledgerToken = await tokenOf(request, context);
    },
  };
}

/** For routes that read. */
export function asReader(context: Context) {
  return {
    config: { audited: "refusals" as const },
    preValidation: (request: FastifyRequest) => mayRead(request, context),
  };
}

/** With which token the request came. */
export function ledgerToken({ ledgerToken: token, url }: FastifyRequest): LedgerToken {
  if (token === undefined) throw new Error(`nobody was let in to ${url}`);
  return token;
}

/** @throws forbidden the token is no administrator's */
export function requireAdministrator(request: FastifyRequest): void {
  if (ledgerToken(request).pipeline !== undefined) throw new VconductorError("forbidden", "Forbidden");
}

/** @throws forbidden the token is not this pipeline's; an administrator's is nobody's */
export function requirePipeline({ pipeline }: LedgerToken, name: string | undefined): LedgerPipeline {
  if (pipeline !== undefined && pipeline.name === name) return pipeline;
  throw new VconductorError("forbidden", `Given credentials cannot be used for pipeline '${name ?? "None"}'`);
}

function callerWith({ id, description }: LedgerToken): Principal {
  return {
    id: `porch:${id}`,
    name: description,
    via: "token",
    tenant: DEFAULT_TENANT,
    groups: [],
    scopes: [],
  };
}

async function administrator(
  credential: string,
  request: FastifyRequest,
  context: Context,
): Promise<LedgerToken | undefined> {
  const principal = await principalOf(credential, request, context);
  if (principal?.scopes.includes("admin") !== true) return undefined;
  request.caller = principal;
  return { id: undefined, description: principal.name, pipeline: undefined };
}

async function principalOf(credential: string, request: FastifyRequest, { access, config }: Context) {
  if (config.access === "off" || credential === "") return undefined;
  const verdict = await access.authenticator.check(credential, request.ip);
  return "principal" in verdict ? verdict.principal : undefined;
}

function credentialOf({ headers }: FastifyRequest): { readonly scheme: string; readonly credential: string } {
  const [scheme = "", credential = ""] = (headers.authorization ?? "").trim().split(/\s+/, 2);
  return { scheme: scheme.toLowerCase(), credential };
}
