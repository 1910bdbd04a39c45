import { generateKeyPairSync } from "node:crypto";
import { Writable } from "node:stream";
import { type JWTPayload, SignJWT } from "jose";
import pino from "pino";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { type Odd, OidcIssuer, usual } from "../doubles/oidc-issuer.ts";
import { startApi, type TestApi } from "../http/start-api.ts";

const issuer = "https://id.example.com";
const secret = "a secret that two sides share, of more than 32 bytes";
const base = { JWT_ISSUER: issuer, JWT_AUDIENCE: "vconductor" };
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const reader = { roles: ["reader"] };

const apis: TestApi[] = [];
afterAll(async () => {
  for (const api of apis) await api.stop();
});

let logged = "";
const log = pino(
  { level: "trace" },
  new Writable({
    write(chunk, _, done) {
      logged += String(chunk);
      done();
    },
  }),
);

async function start(env: Readonly<Record<string, string>>): Promise<TestApi> {
  const api = await startApi({ env, log });
  apis.push(api);
  return api;
}

async function ask(api: TestApi, token: string, path = "/vcons") {
  const answer = await api.call("GET", path, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, text: answer.text, headers: answer.headers };
}

const shared = (
  claims: JWTPayload = reader,
  odd: Odd & { readonly alg?: string; readonly key?: string } = {},
) =>
  usual(claims, { issuer, ...odd })
    .setProtectedHeader({ alg: odd.alg ?? "HS256" })
    .sign(new TextEncoder().encode(odd.key ?? secret));

describe("a shared secret", async () => {
  const api = await start({ ...base, JWT_SECRET: secret });

  it("turns access control on", async () => {
    expect((await api.call("GET", "/vcons")).status).toBe(401);
    expect((await api.call("GET", "/health")).status).toBe(200);
  });

  it("lets in whoever has a token signed with it", async () => {
    expect((await ask(api, await shared())).status).toBe(200);
    expect((await ask(api, await shared({ scope: "openid vcon:read" }))).status).toBe(200);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      "another secret",
      () => shared(reader, { key: "another secret, of more than 32 bytes, too" }),
      /signature/,
    ],
    ["another issuer", () => shared(reader, { issuer: "https://else.example" }), /issuer/],
    ["another audience", () => shared(reader, { audience: "others" }), /somebody else/],
    ["no end", () => shared(reader, { expiresIn: null }), /does not say when it expires/],
    ["an end 12 s ago", () => shared(reader, { expiresIn: -12 }), /expired/],
    ["a beginning in 20 s", () => shared(reader, { notBefore: 20 }), /not good yet/],
    ["an algorithm that is not allowed", () => shared(reader, { alg: "HS512" }), /HS512, which is not among/],
    ["nobody it is about", () => shared({ ...reader, sub: "" }), /who it is about/],
    ["a tenant that is none", () => shared({ ...reader, tenant: ["a"] }), /tenant/],
    [
      "no signature",
      async () =>
        `${btoa('{"alg":"none"}').replaceAll("=", "")}.${btoa(`{"iss":"${issuer}"}`).replaceAll("=", "")}.`,
      /none, which is not among/,
    ],
    ["three parts of nonsense", async () => "aaa.bbb.ccc", /not a JWT/],
  ])("refuses a token with %s", async (_, make, why) => {
    const answer = await ask(api, await make());
    expect([answer.status, answer.text]).toEqual([401, expect.stringMatching(why)]);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("gives clocks ten seconds", async () => {
    expect((await ask(api, await shared(reader, { expiresIn: -5 }))).status).toBe(200);
    expect((await ask(api, await shared(reader, { notBefore: 5 }))).status).toBe(200);
  });

  it("gives nothing to who has no role", async () => {
    const answer = await ask(api, await shared({ roles: ["no-such-role"], scope: "openid email" }));
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining("vcon:read")]);
  });

  it("shows no token in logs and answers", async () => {
    const token = await shared({ roles: [] });
    const answer = await ask(api, token);
    expect(logged + answer.text).not.toContain(token.slice(20));
    expect(logged).not.toContain(secret);
  });
});

describe("a public key", async () => {
  const api = await start({ ...base, JWT_PUBLIC_KEY: publicPem });
  const signed = (claims: JWTPayload = reader, alg = "RS256") =>
    usual(claims, { issuer }).setProtectedHeader({ alg }).sign(pair.privateKey);

  it("lets in whoever has a token signed with the private one", async () => {
    expect((await ask(api, await signed())).status).toBe(200);
  });

  it("is no shared secret: not even for who signs with its text", async () => {
    for (const key of [publicPem, publicPem.trim()]) {
      const answer = await ask(api, await shared(reader, { key }));
      expect([answer.status, answer.text]).toEqual([
        401,
        expect.stringContaining("HS256, which is not among"),
      ]);
    }
  });

  it("takes the algorithms allowed only", async () => {
    expect((await ask(api, await signed(reader, "PS256"))).text).toContain("PS256, which is not among");
  });

  it("is no key for other kinds of algorithms, though they be allowed", async () => {
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const token = await usual(reader, { issuer })
      .setProtectedHeader({ alg: "ES256" })
      .sign(elliptic.privateKey);
    const answer = await ask(api, token);
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("can check")]);
  });

  it("has to be one when the server starts, and addresses of keys https", () => {
    const problems = (env: Readonly<Record<string, string>>) => {
      try {
        readConfig({ ...base, ...env });
        return "";
      } catch (error) {
        return String(error);
      }
    };
    expect(problems({ JWT_PUBLIC_KEY: "-----BEGIN PUBLIC KEY-----\nnonsense" })).toContain(
      "must be the PEM text",
    );
    expect(problems({ JWT_JWKS_URL: "http://id.example.com/keys" })).toContain("must begin with https://");
    expect(problems({ JWT_SECRET: "short" })).toContain("at least 32 characters");
    expect(problems({ JWT_SECRET: secret, JWT_AUDIENCE: "" })).toContain("JWT_AUDIENCE");
    expect(problems({ JWT_SECRET: secret, JWT_ISSUER: "" })).toContain("JWT_ISSUER");
  });

  it("of another is refused", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const token = await usual(reader, { issuer }).setProtectedHeader({ alg: "RS256" }).sign(other.privateKey);
    expect((await ask(api, token)).status).toBe(401);
  });
});

describe("an OpenID Connect issuer", async () => {
  const oidc = await OidcIssuer.start();
  const api = await start({
    ...oidc.env,
    JWT_ROLES_CLAIM: "realm_access.roles",
    JWT_ROLE_MAP: '{"boss":"admin"}',
  });

  it("is asked for its keys once, when the first tokens come", async () => {
    expect(oidc.double.received).toEqual([]);
    const tokens = await Promise.all(
      Array.from({ length: 8 }, (_, n) => oidc.sign({ sub: `u${n}`, realm_access: { roles: ["reader"] } })),
    );
    const answers = await Promise.all(tokens.map((token) => ask(api, token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(oidc.double.received.map(({ path }) => path)).toEqual([
      "/realm/.well-known/openid-configuration",
      "/realm/keys",
    ]);
  });

  it("maps what it calls roles", async () => {
    const boss = await oidc.sign({ realm_access: { roles: ["boss"] } });
    expect((await ask(api, boss, "/servers")).status).toBe(200);
    const other = await oidc.sign({ realm_access: { roles: ["reader"] }, roles: ["admin"] });
    expect((await ask(api, other, "/servers")).status).toBe(403);
  });

  it("does not believe a key that it does not publish", async () => {
    const token = await oidc.sign({ realm_access: { roles: ["reader"] } }, { kid: "elsewhere" });
    const answer = await ask(api, token);
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("kid")]);
  });
});

describe("keys that change", async () => {
  const oidc = await OidcIssuer.start();
  const api = await start({ ...base, JWT_ISSUER: oidc.url, JWT_JWKS_URL: `${oidc.url}/keys` });

  it("are fetched again, once a token names a new one", async () => {
    expect((await ask(api, await oidc.sign(reader))).status).toBe(200);
    const old = await oidc.sign(reader);
    await oidc.rotate({ keep: true });
    // Not at once, or anybody could have them fetched without end.
    await expect
      .poll(async () => (await ask(api, await oidc.sign(reader))).status, { timeout: 20_000, interval: 500 })
      .toBe(200);
    expect((await ask(api, old)).status).toBe(200);
    await oidc.rotate({ keep: false });
    await expect
      .poll(async () => (await ask(api, await oidc.sign(reader))).status, { timeout: 20_000, interval: 500 })
      .toBe(200);
    expect((await ask(api, old)).status).toBe(401);
  });
});

describe("an issuer that is away", async () => {
  const oidc = await OidcIssuer.start();
  const api = await start(oidc.env);

  it.each([
    ["does not answer well", { status: 500, body: "oops" }],
    ["does not answer in JSON", { body: "<html>" }],
    ["is another", { body: { issuer: "https://else.example", jwks_uri: "https://else.example/keys" } }],
    ["breaks off", "truncated" as const],
  ])("and %s is no fault of the caller's", async (_, trouble) => {
    oidc.double.troubles(trouble);
    const answer = await ask(api, await oidc.sign(reader));
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(answer.text).toContain("issuer_unavailable");
    expect(answer.text).not.toContain("else.example");
    expect(logged).toContain("the keys of JWTs cannot be had");
  });

  it("is asked again", async () => {
    expect((await ask(api, await oidc.sign(reader))).status).toBe(200);
  });
});

it("a token that says it is of ours is none of an issuer's", async () => {
  const api = await start({ ...base, JWT_SECRET: secret });
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
  expect((await ask(api, `vct_${token}`)).text).toContain("no token of this server");
});
