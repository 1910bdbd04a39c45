import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { ProviderDouble, type Reply } from "./provider.ts";

/** What a token is to be, where it is not to be as usual. */
export interface Odd {
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds from now. Default: 300; null for none */
  readonly expiresIn?: number | null;
  /** Seconds from now. */
  readonly notBefore?: number;
  /** Signed with a key that the issuer has, but does not publish under that name. */
  readonly kid?: string;
}

const audience = "vconductor";

/** An OpenID Connect issuer: discovery, its keys, and tokens. It is real in all but its log-in page. */
export class OidcIssuer {
  readonly double: ProviderDouble;
  /** The claims of tokens that clients ask for. */
  granted: JWTPayload = {};
  readonly #keys: Map<string, GenerateKeyPairResult>;
  #current: string;

  private constructor(double: ProviderDouble, keys: Map<string, GenerateKeyPairResult>) {
    this.double = double;
    this.#keys = keys;
    this.#current = "key-1";
  }

  static async start(): Promise<OidcIssuer> {
    const keys = new Map([["key-1", await generateKeyPair("RS256", { extractable: true })]]);
    const double: ProviderDouble = await ProviderDouble.start(async ({ method, path }): Promise<Reply> => {
      if (path === "/realm/.well-known/openid-configuration") {
        const issuer = `${double.url}/realm`;
        return {
          body: { issuer, jwks_uri: `${issuer}/keys`, id_token_signing_alg_values_supported: ["RS256"] },
        };
      }
      if (path === "/realm/token" && method === "POST") {
        // The client credentials grant (RFC 6749, section 4.4), for any client: its claims are the test's.
        return {
          body: { access_token: await made.sign(made.granted), token_type: "Bearer", expires_in: 300 },
        };
      }
      if (path !== "/realm/keys") return { status: 404, body: {} };
      const published = [...keys].map(async ([kid, { publicKey }]) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg: "RS256",
        use: "sig",
      }));
      return { body: { keys: await Promise.all(published) } };
    });
    const made = new OidcIssuer(double, keys);
    return made;
  }

  get url(): string {
    return `${this.double.url}/realm`;
  }

  /** The settings of a server that trusts it. */
  get env(): Readonly<Record<string, string>> {
    return { OIDC_ISSUER: this.url, JWT_AUDIENCE: audience };
  }

  /** Signs with a new key from now on. @param options.keep whether the old one is still published */
  async rotate({ keep }: { readonly keep: boolean }): Promise<void> {
    if (!keep) this.#keys.clear();
    this.#current = `key-${crypto.randomUUID()}`;
    this.#keys.set(this.#current, await generateKeyPair("RS256", { extractable: true }));
  }

  sign(claims: JWTPayload, odd: Odd = {}): Promise<string> {
    const keys = this.#keys.get(this.#current);
    if (keys === undefined) throw new Error("the issuer has no key");
    const token = usual(claims, { issuer: this.url, ...odd });
    return token
      .setProtectedHeader({ alg: "RS256", kid: odd.kid ?? this.#current, typ: "at+jwt" })
      .sign(keys.privateKey);
  }
}

/** A token with the usual claims, to be signed. */
export function usual(claims: JWTPayload, odd: Odd & { readonly issuer: string }): SignJWT {
  const now = Math.floor(Date.now() / 1000);
  const { expiresIn = 300, notBefore } = odd;
  return new SignJWT({
    sub: "ann",
    iss: odd.issuer,
    aud: odd.audience ?? audience,
    iat: now,
    ...(expiresIn === null ? {} : { exp: now + expiresIn }),
    ...(notBefore === undefined ? {} : { nbf: now + notBefore }),
    ...claims,
  });
}
