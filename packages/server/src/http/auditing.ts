import type { FastifyRequest } from "fastify";
import type { AuditEntry, AuditTrail } from "../access/audit/audit-trail.ts";
import { isAudited } from "../access/audit/is-audited.ts";
import type { Principal } from "../access/principal.ts";
import { addressKey, RateLimit } from "../access/rate-limit.ts";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The answer has no end: the request is recorded before it begins. */
    readonly endless?: boolean;
    /**
     * Of a route that is public here because a face knows who may call it: recorded like others, or only where somebody was
     * refused. Default: not at all
     */
    readonly audited?: "always" | "refusals";
  }
  interface FastifyRequest {
    /** The vCon in the body, where there is one. */
    aboutVcon: string | undefined;
    recorded: boolean;
  }
}

/** Whoever is refused is recorded so often a minute from one address: nobody is to fill the disk. */
const refusalsPerMinute = 60;
const reads = new Set(["GET", "HEAD"]);
const unknown: AuditEntry["principal"] = { id: "unknown", name: "unknown", via: "none", tenant: "" };

/**
 * Records every request of a route that is not public, before its answer leaves: what cannot be recorded is answered
 * with an error instead. Only with access control, since otherwise there is nobody to name.
 */
export function addAuditing(app: App, { config, audit }: Pick<HttpContext, "config" | "audit">): void {
  app.decorateRequest("aboutVcon", undefined);
  app.decorateRequest("recorded", false);
  if (!isAudited(config)) return;
  const refusals = new RateLimit({ limit: refusalsPerMinute });

  const counts = (request: FastifyRequest, status: number) =>
    !request.is404 &&
    isRecorded(request, status) &&
    request.method !== "OPTIONS" &&
    (config.audit === "all" || !reads.has(request.method));

  app.addHook("preHandler", (request, reply, done) => {
    if (request.routeOptions.config.endless !== true || !counts(request, reply.statusCode)) return done();
    record({ audit, request, status: reply.statusCode }).then(() => done(), done);
  });

  app.addHook("onSend", (request, reply, payload, done) => {
    if (request.recorded || !counts(request, reply.statusCode)) return done(null, payload);
    if (request.caller === undefined && !refusals.take(addressKey(request.ip)).allowed) {
      request.log.warn({ id: request.id, address: request.ip }, "refused, as often before: not recorded");
      return done(null, payload);
    }
    record({ audit, request, status: reply.statusCode }).then(() => done(null, payload), done);
  });
}

function isRecorded({ routeOptions: { schema, config } }: FastifyRequest, status: number): boolean {
  if (schema?.scope !== "public" || config.audited === "always") return true;
  return config.audited === "refusals" && (status === 401 || status === 403);
}

async function record({
  audit,
  request,
  status,
}: {
  readonly audit: Pick<AuditTrail, "record">;
  readonly request: FastifyRequest;
  readonly status: number;
}): Promise<void> {
  // Also when it fails: the error is sent through the same hook.
  request.recorded = true;
  const { vcon, target } = subjectOf(request);
  await audit.record({
    principal: request.caller === undefined ? unknown : named(request.caller),
    action: request.routeOptions.schema?.operationId ?? `${request.method} ${request.routeOptions.url}`,
    vcon: vcon ?? request.aboutVcon,
    target,
    address: request.ip,
    request: request.id,
    status,
    detail: detailOf(request),
  });
}

function named({ id, name, via, tenant }: Principal): AuditEntry["principal"] {
  return { id, name: clean(name), via, tenant };
}

/** What is in the path: a vCon, or something else. */
function subjectOf({ params }: FastifyRequest): { readonly vcon?: string; readonly target?: string } {
  if (typeof params !== "object" || params === null) return {};
  const { vcon_uuid: vcon, ...others } = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, clean(String(value))]),
  );
  const target = Object.values(others).join(" ");
  return { ...(vcon === undefined ? {} : { vcon }), ...(target === "" ? {} : { target }) };
}

const mostUuids = 20;

/** Which filters there were, and which vCons a job is for; never what was searched for. */
function detailOf({ query, body }: FastifyRequest): AuditEntry["detail"] {
  const filters = typeof query === "object" && query !== null ? Object.keys(query).slice(0, 50) : [];
  const uuids: unknown =
    typeof body === "object" && body !== null
      ? Object.getOwnPropertyDescriptor(body, "vcon_uuid")?.value
      : [];
  const vcons = Array.isArray(uuids) ? uuids.filter((uuid) => typeof uuid === "string") : [];
  const detail = {
    ...(filters.length > 0 ? { query: filters.map((name) => clean(name).slice(0, 100)) } : {}),
    ...(vcons.length > 0 ? { vcons: vcons.slice(0, mostUuids).map(clean), count: vcons.length } : {}),
  };
  return Object.keys(detail).length === 0 ? undefined : detail;
}

/** What PostgreSQL cannot keep must not keep a request from being recorded. */
function clean(text: string): string {
  return text.replaceAll("\u0000", "").toWellFormed().slice(0, 500);
}
