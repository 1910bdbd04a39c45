import type { JWTPayload, JWTVerifyGetKey } from "jose";
import type { Config } from "../../config.ts";
import { VconductorError } from "../../errors.ts";
import type { CredentialSource, Verdict } from "../credentials.ts";
import { type ClaimNames, toPrincipal } from "./claims.ts";
import { type KeyConfig, type KeySource, keySources } from "./key-sources.ts";

/** Clocks differ. */
const LEEWAY_SECONDS = 10;
const RETRY_SECONDS = 5;

export type JwtConfig = KeyConfig & ClaimNames & Pick<Config, "jwtAudience">;

/**
 * JWTs as credentials (RFC 7519). What they are signed with is for the settings to say, never for the token; `iss`,
 * `aud`, `exp` and `nbf` are checked. jose is loaded with the first one.
 *
 * `check` throws issuer_unavailable.
 */
export function jwtSource(
  config: JwtConfig,
  options: { readonly onUnavailable: (error: unknown) => void },
): CredentialSource | undefined {
  const sources = keySources(config);
  if (sources.length === 0) return undefined;
  return {
    takes: (credential) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential),
    async check(credential) {
      const jose = await import("jose");
      const about = describe(jose, credential);
      if (about === undefined) return { refused: "it is not a JWT" };
      let verdict: Verdict = { refused: whyNoSource(about, sources) };
      for (const source of sources) {
        if (source.issuer !== about.issuer || !source.algorithms.includes(about.algorithm)) continue;
        try {
          verdict = await verify(jose, { credential, source, config });
        } catch (error) {
          options.onUnavailable(error);
          throw error;
        }
        if ("principal" in verdict) break;
      }
      return verdict;
    },
  };
}

interface About {
  readonly algorithm: string;
  readonly issuer: unknown;
}

/** What a token says of itself: enough to choose a key, nothing to believe. */
function describe(jose: typeof import("jose"), credential: string): About | undefined {
  try {
    const { alg = "" } = jose.decodeProtectedHeader(credential);
    return { algorithm: alg, issuer: jose.decodeJwt(credential).iss };
  } catch {
    return undefined;
  }
}

function whyNoSource({ algorithm, issuer }: About, sources: readonly KeySource[]): string {
  const known = sources.some((source) => source.issuer === issuer);
  return known
    ? `it is signed with ${algorithm.slice(0, 20)}, which is not among those allowed (JWT_ALGORITHMS)`
    : "its issuer (iss) is none that this server takes";
}

async function verify(
  jose: typeof import("jose"),
  {
    credential,
    source,
    config,
  }: { readonly credential: string; readonly source: KeySource; readonly config: JwtConfig },
): Promise<Verdict> {
  let payload: JWTPayload;
  try {
    const keys = await source.keys(jose);
    ({ payload } = await jose.jwtVerify(credential, orUnavailable(jose, keys), {
      algorithms: [...source.algorithms],
      issuer: source.issuer,
      audience: [...config.jwtAudience],
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ["exp"],
    }));
  } catch (error) {
    if (error instanceof VconductorError) throw error;
    return { refused: reasonOf(jose, error) };
  }
  return toPrincipal(payload, config);
}

/** Keys that cannot be had are no fault of the caller's. */
function orUnavailable(jose: typeof import("jose"), keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = jose.errors;
      const theirs = [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported];
      if (theirs.some((kind) => cause instanceof kind)) throw cause;
      throw new VconductorError(
        "issuer_unavailable",
        "The keys of the token's issuer cannot be had at the moment",
        {
          cause,
          retryAfter: RETRY_SECONDS,
        },
      );
    }
  };
}

function reasonOf(jose: typeof import("jose"), error: unknown): string {
  const { errors } = jose;
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error.claim);
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature does not fit";
  if (error instanceof errors.JWKSNoMatchingKey) return "its key (kid) is none of its issuer's";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "it does not name its key (kid)";
  if (error instanceof errors.JOSEError) return "it is not a JWT that this server can check";
  throw error;
}

function claimReason(claim: string): string {
  if (claim === "aud") return "it is meant for somebody else (aud)";
  if (claim === "nbf") return "it is not good yet (nbf)";
  if (claim === "exp") return "it does not say when it expires (exp)";
  return `its claim ${claim} is not as it must be`;
}
