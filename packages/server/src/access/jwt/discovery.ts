import { VconductorError } from "../../errors.ts";

const RETRY_SECONDS = 5;

/**
 * Where the keys of an OpenID Connect issuer are (OpenID Connect Discovery 1.0, section 4).
 *
 * @throws issuer_unavailable
 */
export async function discover(
  issuer: string,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const document = await read(url, timeoutMs);
  const { issuer: own, jwks_uri: keys } = document;
  if (own !== issuer) throw unavailable(`${url} is that of another issuer`);
  if (typeof keys !== "string" || !URL.canParse(keys))
    throw unavailable(`${url} does not say where its keys are`);
  return keys;
}

async function read(url: string, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
  let document: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    document = await response.json();
  } catch (cause) {
    throw unavailable(`${url} cannot be read`, cause);
  }
  if (typeof document !== "object" || document === null) throw unavailable(`${url} is no JSON object`);
  return { ...document };
}

/** What exactly is wrong is for the log: the caller is anybody. */
function unavailable(reason: string, cause?: unknown): VconductorError {
  return new VconductorError(
    "issuer_unavailable",
    "The keys of the token's issuer cannot be had at the moment",
    {
      cause: new Error(reason, { cause }),
      retryAfter: RETRY_SECONDS,
    },
  );
}
