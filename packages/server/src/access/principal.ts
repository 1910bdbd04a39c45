import type { Scope } from "./scopes.ts";

/** The tenant of whatever nobody gave to another. */
export const DEFAULT_TENANT = "default";

/** What a tenant may be called. */
export const tenantPattern = "^[A-Za-z0-9_.:@/-]{1,100}$";

export function isTenant(name: unknown): name is string {
  return typeof name === "string" && new RegExp(tenantPattern).test(name);
}

/** Who does something. It is kept with the jobs that it queues, and says nothing secret. */
export interface Principal {
  /** One id for one principal, for ever: `token:k3x…`, `jwt:https://issuer|subject`, `pipeline:name`, `anonymous`. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly via: "token" | "ingest" | "jwt" | "pipeline" | "none";
  readonly tenant: string;
  /** Without the prefix `group:` that they have in access lists. */
  readonly groups: readonly string[];
  readonly scopes: readonly Scope[];
  /** The queues that it may work on or add to. Default: all */
  readonly queues?: readonly string[] | undefined;
  /** What else holds for an ingest key. */
  readonly ingest?: IngestRules | undefined;
}

export interface IngestRules {
  /** How many vCons a minute, on each server. 0: no limit */
  readonly perMinute: number;
  /** The environment variable with the secret that bodies are signed with. Undefined: they need not be */
  readonly hmacSecret?: string | undefined;
}

/** Whoever calls a server without access control. */
export const anonymous: Principal = {
  id: "anonymous",
  name: "anonymous",
  via: "none",
  tenant: DEFAULT_TENANT,
  groups: [],
  scopes: ["admin"],
};

/** Whether the principal has one of these scopes. `admin` is all of them. */
export function isAllowed(principal: Principal, wanted: readonly Scope[]): boolean {
  return principal.scopes.some((scope) => scope === "admin" || wanted.includes(scope));
}

/** Whose eyes the stores look with. */
export interface Viewer {
  /** Whatever it stores belongs to this tenant. */
  readonly tenant: string;
  /** Sees all tenants, whatever the access lists say. */
  readonly all: boolean;
  /** Its names in access lists: its id, and its groups as `group:name`. */
  readonly grantees: readonly string[];
  /** Sees and changes nothing that is there, whatever else it may: it only adds. Default: false */
  readonly addsOnly?: boolean;
}

export function viewerOf({ id, tenant, groups, scopes }: Principal): Viewer {
  const grantees = [id, ...groups.map((group) => `group:${group}`)];
  return { tenant, all: scopes.includes("admin"), grantees };
}

/** The server itself, in its own housekeeping; and everybody while there is no access control. */
export const everything: Viewer = viewerOf(anonymous);
