import { VconductorError } from "../../errors.ts";
import { type Roles, scopesOfRoles } from "../roles.ts";
import { scopes as allScopes, isScope, type Scope } from "../scopes.ts";

/**
 * The scopes that a new token gets: those given, and those of its roles.
 *
 * @throws invalid_request names what is no scope or role, or says that there is none
 */
export function scopesFor(
  given: { readonly scopes: readonly string[]; readonly roles: readonly string[] },
  known: Roles,
): readonly Scope[] {
  const unknownRoles = given.roles.filter((role) => !known.has(role));
  if (unknownRoles.length > 0) {
    throw wrong(
      "roles",
      `no such role: ${unknownRoles.join(", ")} (there are ${[...known.keys()].join(", ")})`,
    );
  }
  const unknownScopes = given.scopes.filter((scope) => !isScope(scope));
  if (unknownScopes.length > 0) {
    throw wrong("scopes", `no such scope: ${unknownScopes.join(", ")} (there are ${allScopes.join(", ")})`);
  }
  const held = new Set([...given.scopes.filter(isScope), ...scopesOfRoles(known, given.roles)]);
  if (held.size === 0) throw wrong("roles", "a token needs a role or a scope");
  return allScopes.filter((scope) => held.has(scope));
}

function wrong(part: string, msg: string): VconductorError {
  return new VconductorError("invalid_request", msg, {
    detail: [{ type: "value_error", loc: ["body", part], msg }],
  });
}
