import { createPublicKey } from "node:crypto";
import { builtInRoles, type Roles } from "../access/roles.ts";
import { isScope, scopes } from "../access/scopes.ts";
import { absoluteUrl, isLoopback } from "./addresses.ts";
import { readableText } from "./files.ts";
import { choice, integer, list, optional, secret, text } from "./kinds.ts";
import { InvalidValue, type Kind, setting } from "./setting.ts";

const group = "Access";

/** Algorithms whose key is shared, and those whose public key anybody may have. */
export const sharedKeyAlgorithms = ["HS256", "HS384", "HS512"] as const;
const publicKeyAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
const algorithms: readonly string[] = [...sharedKeyAlgorithms, ...publicKeyAlgorithms];

const algorithm: Kind<string> = {
  label: algorithms.join(", "),
  plain: (name) => name,
  parse(given) {
    const name = algorithms.find((known) => known.toLowerCase() === given.toLowerCase());
    if (name === undefined) throw new InvalidValue(`must list some of ${algorithms.join(", ")}`);
    return name;
  },
};

/** Roles beside the built-in ones, as a JSON object of names to lists of scopes. */
const roles: Kind<Roles> = {
  label: 'a JSON object of role names to lists of scopes: {"auditor": ["vcon:read"]}',
  plain: (held) => JSON.stringify(Object.fromEntries(held)),
  parse(given) {
    const held = new Map(Object.entries(builtInRoles));
    for (const [name, list] of Object.entries(jsonObject(given))) {
      if (!Array.isArray(list)) throw new InvalidValue(`must give the role ${name} a list of scopes`);
      const unknown = list.filter((scope) => !isScope(String(scope)));
      if (unknown.length > 0) {
        throw new InvalidValue(
          `gives the role ${name} what is no scope: ${unknown.join(", ")} (known: ${scopes.join(", ")})`,
        );
      }
      held.set(
        name,
        list.filter((scope) => isScope(scope)),
      );
    }
    return held;
  },
};

/** What a claim says → the name of a role. */
const roleMap: Kind<ReadonlyMap<string, string>> = {
  label: 'a JSON object of claimed values to roles: {"vcon-admins": "admin"}',
  plain: (map) => JSON.stringify(Object.fromEntries(map)),
  parse(given) {
    return new Map(
      Object.entries(jsonObject(given)).map(([claimed, role]) => {
        if (typeof role !== "string") throw new InvalidValue(`must name one role for ${claimed}`);
        return [claimed, role];
      }),
    );
  },
};

function jsonObject(given: string): object {
  try {
    const value: unknown = JSON.parse(given);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new InvalidValue("must be a JSON object");
}

const jwtSecret: Kind<string> = {
  ...secret,
  label: "at least 32 characters, kept secret",
  parse(given) {
    if (Buffer.byteLength(given) < 32) {
      throw new InvalidValue("must have at least 32 characters; make one with: openssl rand -base64 48");
    }
    return given;
  },
};

/** A key or certificate, as PEM text. */
const publicKey: Kind<string> = {
  ...readableText,
  parse(given, surroundings) {
    const pem = readableText.parse(given, surroundings);
    try {
      createPublicKey(pem);
      return pem;
    } catch {
      throw new InvalidValue("must be the PEM text of a public key or certificate, or a file with it");
    }
  },
};

/** An address whose answers decide who is let in: nobody on the way may change them. Kept as it is, to the last slash. */
const trustedUrl: Kind<string> = {
  ...absoluteUrl,
  label: "an https:// address, or an http:// one on this machine",
  parse(given, surroundings) {
    absoluteUrl.parse(given, surroundings);
    const { protocol, hostname } = new URL(given);
    if (protocol === "https:" || isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"))) return given;
    throw new InvalidValue("must begin with https://, unless it is on this machine");
  },
};

/** Who may use the server, and how that is found out. */
export const accessSettings = {
  access: setting({
    variable: "ACCESS",
    group,
    kind: optional(choice({ on: "on", off: "off" })),
    default: "",
    defaultMeans: "on with JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL or OIDC_ISSUER, else off",
    meaning:
      "Whether callers must say who they are: `on` takes API tokens (`vconductor token create`), and JWTs if their settings are given. Without access control REST_URL must name a loopback host, unless `off` is set in so many words.",
  }),
  jwtSecret: setting({
    variable: "JWT_SECRET",
    group,
    kind: optional(jwtSecret),
    default: "",
    defaultMeans: "none",
    meaning: "The key of JWTs that are signed with HS256, HS384 or HS512.",
  }),
  jwtPublicKey: setting({
    variable: "JWT_PUBLIC_KEY",
    group,
    kind: optional(publicKey),
    default: "",
    defaultMeans: "none",
    meaning: "The public key or certificate of whoever signs JWTs: PEM text, or the name of a file with it.",
  }),
  jwtJwksUrl: setting({
    variable: "JWT_JWKS_URL",
    group,
    kind: optional(trustedUrl),
    default: "",
    defaultMeans: "none",
    meaning:
      "Where the public keys of whoever signs JWTs are, as a JSON Web Key Set. They may change at any time.",
  }),
  oidcIssuer: setting({
    variable: "OIDC_ISSUER",
    group,
    kind: optional(trustedUrl),
    default: "",
    defaultMeans: "none",
    meaning:
      "An OpenID Connect issuer whose access tokens are taken. Its keys are found by discovery (`/.well-known/openid-configuration`).",
  }),
  jwtAlgorithms: setting({
    variable: "JWT_ALGORITHMS",
    group,
    kind: list(algorithm, `a list of ${algorithms.join(", ")}`),
    default: "",
    defaultMeans: "HS256 with JWT_SECRET, else RS256, ES256 and EdDSA",
    meaning: "The algorithms that JWTs may be signed with; all others are refused, whatever the token says.",
  }),
  jwtIssuer: setting({
    variable: "JWT_ISSUER",
    group,
    kind: optional(text),
    default: "",
    defaultMeans: "OIDC_ISSUER",
    meaning: "What the claim `iss` of JWTs must be. Needed for JWTs.",
  }),
  jwtAudience: setting({
    variable: "JWT_AUDIENCE",
    group,
    kind: list(text, "a list of texts, separated by commas"),
    default: "",
    defaultMeans: "none",
    meaning: "What the claim `aud` of JWTs must be, or have among others. Needed for JWTs.",
  }),
  jwtRolesClaim: setting({
    variable: "JWT_ROLES_CLAIM",
    group,
    kind: text,
    default: "roles",
    meaning:
      "The claim of JWTs that lists roles; with dots where it is inside of another, as in `realm_access.roles`. Scopes of ours in the claim `scope` count as well.",
  }),
  jwtRoleMap: setting({
    variable: "JWT_ROLE_MAP",
    group,
    kind: roleMap,
    default: "{}",
    defaultMeans: "claimed values are names of roles",
    meaning:
      "Which role a claimed value stands for. Values that are not named stand for the role of that name.",
  }),
  jwtTenantClaim: setting({
    variable: "JWT_TENANT_CLAIM",
    group,
    kind: text,
    default: "tenant",
    meaning: "The claim of JWTs that names the tenant. Without it, the caller's is the tenant default.",
  }),
  jwtGroupsClaim: setting({
    variable: "JWT_GROUPS_CLAIM",
    group,
    kind: text,
    default: "groups",
    meaning: "The claim of JWTs that lists groups, for the access lists of vCons.",
  }),
  roles: setting({
    variable: "ROLES",
    group,
    kind: roles,
    default: "{}",
    defaultMeans: `the built-in ones: ${Object.entries(builtInRoles)
      .map(([name, held]) => `${name} (${held.join(", ")})`)
      .join("; ")}`,
    meaning: "Roles of your own, as sets of scopes.",
  }),
  authFailures: setting({
    variable: "AUTH_FAILURES_PER_MINUTE",
    group,
    kind: integer({ min: 1, max: 1_000_000 }),
    default: "30",
    meaning:
      "After so many refused credentials from one address, others that are not good get 429 instead of 401 for the rest of the minute. Good ones from the same address always pass.",
  }),
  rateLimit: setting({
    variable: "RATE_LIMIT_PER_MINUTE",
    group,
    kind: integer({ min: 0, max: 100_000_000 }),
    default: "0",
    defaultMeans: "0, no limit",
    meaning: "How many requests each principal may make in a minute, on each server.",
  }),
  addressRateLimit: setting({
    variable: "ADDRESS_RATE_LIMIT_PER_MINUTE",
    group,
    kind: integer({ min: 0, max: 100_000_000 }),
    default: "0",
    defaultMeans: "0, no limit",
    meaning: "How many requests each address may make in a minute, on each server, whoever it is.",
  }),
  audit: setting({
    variable: "AUDIT",
    group,
    kind: choice({ all: "all", writes: "writes", off: "off" }),
    default: "all",
    meaning:
      "What is written to the audit trail while there is access control: everything, or only what changes something.",
  }),
};
