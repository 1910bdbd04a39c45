import type { JWTVerifyGetKey } from "jose";
import { sharedKeyAlgorithms } from "../../config/access-settings.ts";
import type { Config } from "../../config.ts";
import { discover } from "./discovery.ts";

type Jose = typeof import("jose");

export type KeyConfig = Pick<
  Config,
  "jwtSecret" | "jwtPublicKey" | "jwtJwksUrl" | "oidcIssuer" | "jwtAlgorithms" | "jwtIssuer"
>;

/** Where the keys of an issuer come from. */
export interface KeySource {
  readonly issuer: string;
  /** What its tokens may be signed with. Shared and public keys never mix: that a public key be taken for a secret. */
  readonly algorithms: readonly string[];
  keys(jose: Jose): Promise<JWTVerifyGetKey>;
}

/** Keys are fetched again after so long, or when a token names one that is not known, but not more often than that. */
const CACHE_MS = 10 * 60_000;
const COOLDOWN_MS = 5_000;
const TIMEOUT_MS = 5_000;

const usualPublicAlgorithms = ["RS256", "ES256", "EdDSA"];

/** One source for each setting that names one. */
export function keySources(config: KeyConfig): readonly KeySource[] {
  const { jwtSecret, jwtPublicKey, jwtJwksUrl, oidcIssuer, jwtAlgorithms, jwtIssuer } = config;
  const isShared = (name: string) => sharedKeyAlgorithms.some((known) => known === name);
  const shared = jwtAlgorithms.length === 0 ? ["HS256"] : jwtAlgorithms.filter(isShared);
  const open =
    jwtAlgorithms.length === 0 ? usualPublicAlgorithms : jwtAlgorithms.filter((name) => !isShared(name));
  const issuer = jwtIssuer ?? oidcIssuer ?? "";
  return [
    ...(jwtSecret === undefined
      ? []
      : [{ issuer, algorithms: shared, keys: async () => secretKey(jwtSecret) }]),
    ...(jwtPublicKey === undefined
      ? []
      : [{ issuer, algorithms: open, keys: (jose: Jose) => publicKey(jose, jwtPublicKey) }]),
    ...(jwtJwksUrl === undefined
      ? []
      : [{ issuer, algorithms: open, keys: once(async (jose) => remoteKeys(jose, jwtJwksUrl)) }]),
    ...(oidcIssuer === undefined
      ? []
      : [
          {
            issuer: oidcIssuer,
            algorithms: open,
            keys: once(async (jose) =>
              remoteKeys(jose, await discover(oidcIssuer, { timeoutMs: TIMEOUT_MS })),
            ),
          },
        ]),
  ];
}

/** Remembers what was made, unless making it failed. */
function once(make: (jose: Jose) => Promise<JWTVerifyGetKey>): KeySource["keys"] {
  let made: Promise<JWTVerifyGetKey> | undefined;
  return (jose) => {
    const current = made ?? make(jose);
    made = current;
    current.catch(() => {
      if (made === current) made = undefined;
    });
    return current;
  };
}

function secretKey(secret: string): JWTVerifyGetKey {
  const key = new TextEncoder().encode(secret);
  return async () => key;
}

async function publicKey(jose: Jose, pem: string): Promise<JWTVerifyGetKey> {
  return async ({ alg = "" }) => {
    try {
      return pem.includes("BEGIN CERTIFICATE")
        ? await jose.importX509(pem, alg)
        : await jose.importSPKI(pem, alg);
    } catch (cause) {
      // The key is sound, that was seen at the start: it is one for other algorithms.
      throw new jose.errors.JOSENotSupported(`no key for ${alg}`, { cause });
    }
  };
}

function remoteKeys(jose: Jose, url: string): JWTVerifyGetKey {
  return jose.createRemoteJWKSet(new URL(url), {
    cacheMaxAge: CACHE_MS,
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: TIMEOUT_MS,
  });
}
