import type { FastifyReply } from "fastify";
import { type Allowance, addressKey, RateLimit } from "../access/rate-limit.ts";
import { VconductorError } from "../errors.ts";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";

/** Who asks whether the server is well must always get an answer. */
const unlimited = /^\/health(?:\/|$)/;

/** How many requests an address may make a minute, whoever it is. To be added before callers are asked who they are. */
export function addAddressLimit(app: App, { config }: Pick<HttpContext, "config">): void {
  if (config.addressRateLimit === 0) return;
  const limit = new RateLimit({ limit: config.addressRateLimit });
  app.addHook("onRequest", (request, reply, done) => {
    if (unlimited.test(request.url)) return done();
    done(refusal(reply, limit.take(addressKey(request.ip))));
  });
}

/** How many requests a principal may make a minute, from wherever. To be added after callers have said who they are. */
export function addPrincipalLimit(app: App, { config }: Pick<HttpContext, "config">): void {
  if (config.rateLimit === 0 || config.access === "off") return;
  const limit = new RateLimit({ limit: config.rateLimit });
  app.addHook("onRequest", (request, reply, done) => {
    const { caller } = request;
    done(caller === undefined ? undefined : refusal(reply, limit.take(caller.id)));
  });
}

/** Tells the caller where it stands; undefined when it may go on. */
function refusal(reply: FastifyReply, allowance: Allowance): VconductorError | undefined {
  const { allowed, limit, remaining, resetSeconds } = allowance;
  reply.headers({
    "ratelimit-limit": limit,
    "ratelimit-remaining": remaining,
    "ratelimit-reset": resetSeconds,
  });
  return allowed ? undefined : tooMany(`More than ${limit} requests a minute`, allowance);
}

/** @param what was too much */
export function tooMany(what: string, { resetSeconds }: Pick<Allowance, "resetSeconds">): VconductorError {
  return new VconductorError("rate_limited", `${what}; try again in ${resetSeconds} s`, {
    retryAfter: resetSeconds,
  });
}
