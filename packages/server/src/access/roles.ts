import { type Scope, scopes } from "./scopes.ts";

/** Named sets of scopes. */
export type Roles = ReadonlyMap<string, readonly Scope[]>;

/** Those that need no setting. ROLES adds others, or gives these another meaning. */
export const builtInRoles: Readonly<Record<string, readonly Scope[]>> = {
  reader: ["vcon:read"],
  writer: ["vcon:read", "vcon:write"],
  editor: ["vcon:read", "vcon:write", "vcon:delete", "process:run"],
  developer: ["vcon:read", "vcon:write", "process:run", "pipeline:write", "queue:write"],
  worker: ["job:work"],
  monitor: ["metrics:read"],
  admin: ["admin"],
};

/** The scopes of these roles, each once, in the order of `scopes`. Roles that nobody defined have none. */
export function scopesOfRoles(roles: Roles, names: readonly string[]): readonly Scope[] {
  const held = new Set(names.flatMap((name) => roles.get(name) ?? []));
  return scopes.filter((scope) => held.has(scope));
}
