import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { OidcIssuer } from "../doubles/oidc-issuer.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { follow, hasCurl } from "./follow.ts";

// The set-ups of docs/access.md, as they stand there.

const read = (name: string) => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Runs the shell commands below a heading, beside a server with these settings. @returns what they printed */
async function followWith(heading: string, env: Readonly<Record<string, string>>): Promise<string> {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ...env });
  return await follow("docs/access.md", heading, {
    ...env,
    URL: server.url,
    VCON_STORAGE_URL: server.database,
  });
}

describe.skipIf(!hasCurl)("docs/access.md (skipped without curl 7.82 or later)", () => {
  it("API tokens in five minutes", async () => {
    const said = await followWith("API tokens in five minutes", { ACCESS: "on" });
    expect(said).toContain('{"vcons":[],"next":null}');
    expect(said).toMatch(/"token":"vct_\w+/);
    expect(said).toMatch(/reporting +default +vcon:read +good until/);
    expect(said).toMatch(/my laptop +default +admin +good/);
  });

  it("JWTs in five minutes", async () => {
    const said = await followWith("JWTs in five minutes", {
      JWT_SECRET: Buffer.from("x".repeat(48)).toString("base64"),
      JWT_ISSUER: "https://id.example.com",
      JWT_AUDIENCE: "vconductor",
    });
    expect(said).toContain('{"vcons":[],"next":null}');
  });

  it("An OpenID Connect issuer in five minutes", async () => {
    const issuer = await OidcIssuer.start();
    issuer.granted = { realm_access: { roles: ["vcon-admins"] } };
    const said = await followWith("An OpenID Connect issuer in five minutes", {
      ...issuer.env,
      JWT_ROLES_CLAIM: "realm_access.roles",
      JWT_ROLE_MAP: '{"vcon-admins": "admin"}',
    });
    expect(said).toContain('{"vcons":[],"next":null}');
  });

  it("ingest keys", async () => {
    const key = (await followWith("Ingest keys", { ACCESS: "on" })).trim();
    const answer = await server?.call("GET", "/vcons", { headers: { authorization: `Bearer ${key}` } });
    expect([key, answer?.status]).toEqual([expect.stringMatching(/^vct_\w+/), 403]);
  });
});

it("names settings that there are, and no others", () => {
  const settings = new Set([...read("configuration.md").matchAll(/^### (\w+)$/gm)].map(([, name]) => name));
  const named = [...read("access.md").matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([name]) => name);
  const invented = ["RECORDER_SECRET"];
  expect([...new Set(named)].filter((name) => !settings.has(name) && !invented.includes(name))).toEqual([]);
});
