import type { JWTPayload } from "jose";
import type { Config } from "../../config.ts";
import type { Verdict } from "../credentials.ts";
import { DEFAULT_TENANT, isTenant } from "../principal.ts";
import { scopesOfRoles } from "../roles.ts";
import { isScope, scopes } from "../scopes.ts";

/** Which claims say what. */
export type ClaimNames = Pick<
  Config,
  "jwtRolesClaim" | "jwtRoleMap" | "jwtTenantClaim" | "jwtGroupsClaim" | "roles"
>;

/** Who a token that was verified is about, and what that one may do. */
export function toPrincipal(payload: JWTPayload, names: ClaimNames): Verdict {
  const subject = payload.sub ?? payload.client_id ?? payload.azp;
  const id = `jwt:${payload.iss}|${subject}`;
  // Shortened or tidied, the ids of two could become the same.
  if (typeof subject !== "string" || subject === "" || id.length > 500 || /\p{C}/u.test(id)) {
    return { refused: "it does not say who it is about in at most some 400 characters (sub)" };
  }
  const given = claimAt(payload, names.jwtTenantClaim);
  if (given !== undefined && !isTenant(given)) {
    return { refused: `its claim ${names.jwtTenantClaim} is no name of a tenant` };
  }
  const roles = wordsOf(claimAt(payload, names.jwtRolesClaim)).map(
    (role) => names.jwtRoleMap.get(role) ?? role,
  );
  const held = new Set([
    ...scopesOfRoles(names.roles, roles),
    ...wordsOf(payload.scope ?? payload.scp).filter(isScope),
  ]);
  return {
    principal: {
      id,
      name: nameOf(payload) ?? subject,
      via: "jwt",
      tenant: given ?? DEFAULT_TENANT,
      groups: listOf(claimAt(payload, names.jwtGroupsClaim)),
      scopes: scopes.filter((scope) => held.has(scope)),
    },
  };
}

/** A claim, or one inside of another: `realm_access.roles`. A claim whose name has the dots itself comes first. */
function claimAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  return path
    .split(".")
    .reduce<unknown>(
      (part, name) =>
        typeof part === "object" && part !== null && Object.hasOwn(part, name)
          ? Object.getOwnPropertyDescriptor(part, name)?.value
          : undefined,
      payload,
    );
}

function listOf(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.filter((entry) => typeof entry === "string" && entry !== "").slice(0, 1000);
}

/** The same, and texts of several words are several: `scope` is one text (RFC 8693, section 4.2). */
function wordsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((entry) => entry.split(/[\s,]+/).filter((word) => word !== ""));
}

function nameOf(payload: JWTPayload): string | undefined {
  return textOf(payload.name) ?? textOf(payload.preferred_username) ?? textOf(payload.email);
}

/** A text for logs and records: of one line, and not too long. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.replaceAll(/\p{C}/gu, "").trim().slice(0, 200);
  return text === "" ? undefined : text;
}
