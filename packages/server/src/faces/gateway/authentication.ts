import type { FastifyRequest } from "fastify";
import { jwtVerify } from "jose";
import { anonymous, DEFAULT_TENANT, isAllowed, type Principal } from "../../access/principal.ts";
import type { HttpContext } from "../../http/context.ts";
import { GatewayError } from "./problems.ts";

const scopes = ["process:run", "queue:write"] as const;

/**
 * Who asks for something to be done. The token is all of the header Authorization, as clients of the gateway send it; a
 * scheme before it does no harm.
 *
 * @throws GatewayError 401
 */
export async function requireCaller(
  request: FastifyRequest,
  { config, access }: HttpContext,
): Promise<Principal> {
  if (config.gatewayJwtKey === undefined && config.access === "off") return anonymous;
  const token = (request.headers.authorization ?? "").replace(/^bearer +/i, "").trim();
  if (token === "") throw new GatewayError("GenericError", "Authorisation token is empty", 401);
  const principal = (await byOwnKey(token, config)) ?? (await byAccess(token, request, { config, access }));
  if (principal === undefined) throw new GatewayError("GenericError", "Authorisation token is not good", 401);
  if (!isAllowed(principal, scopes)) {
    throw new GatewayError("GenericError", `${principal.name} lacks the scope ${scopes.join(" or ")}`, 403);
  }
  return principal;
}

/** A JWT signed with the gateway's key, by the one algorithm; one without an end is good for nothing. */
async function byOwnKey(token: string, config: HttpContext["config"]): Promise<Principal | undefined> {
  const { gatewayJwtKey: key, gatewayJwtAudience: audience, gatewayJwtAlgorithm: algorithm } = config;
  if (key === undefined) return undefined;
  try {
    const { payload } = await jwtVerify(token, Buffer.from(key, "base64"), {
      algorithms: [algorithm],
      audience,
      clockTolerance: 10,
      requiredClaims: ["exp"],
    });
    const name = payload.sub ?? "a client of the gateway";
    return {
      id: `gateway:${payload.sub ?? ""}`,
      name,
      via: "jwt",
      tenant: DEFAULT_TENANT,
      groups: [],
      scopes,
    };
  } catch {
    return undefined;
  }
}

async function byAccess(
  token: string,
  request: FastifyRequest,
  { config, access }: Pick<HttpContext, "config" | "access">,
): Promise<Principal | undefined> {
  if (config.access === "off") return undefined;
  const verdict = await access.authenticator.check(token, request.ip);
  return "principal" in verdict ? verdict.principal : undefined;
}
