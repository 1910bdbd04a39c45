import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { OidcIssuer } from "../doubles/oidc-issuer.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";

// The set-ups of docs/access.md, as they stand there.

const root = join(import.meta.dirname, "../../../..");
const text = readFileSync(join(root, "docs/access.md"), "utf8");
const hasCurl = spawnSync("curl", ["--json", "{}", "--version"]).status === 0;

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Runs the shell commands below a heading, beside a server with these settings. @returns what they printed */
async function follow(heading: string, env: Readonly<Record<string, string>>): Promise<string> {
  const start = text.indexOf(`## ${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const section = text.slice(start, text.indexOf("\n## ", start + 1));
  const script = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code).join("\n");
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ...env });
  const { PATH = "", HOME = "" } = process.env;
  const { stdout } = await promisify(execFile)("bash", ["-eu", "-o", "pipefail", "-c", script], {
    cwd: root,
    timeout: 60_000,
    env: {
      HOME,
      PATH: `${dirname(process.execPath)}:${join(root, "node_modules/.bin")}:${PATH}`,
      ...env,
      URL: server.url,
      VCON_STORAGE_URL: server.database,
    },
  });
  return stdout;
}

describe.skipIf(!hasCurl)("docs/access.md (skipped without curl 7.82 or later)", () => {
  it("API tokens in five minutes", async () => {
    const said = await follow("API tokens in five minutes", { ACCESS: "on" });
    expect(said).toContain('{"vcons":[],"next":null}');
    expect(said).toMatch(/"token":"vct_\w+/);
    expect(said).toMatch(/reporting +default +vcon:read +good until/);
    expect(said).toMatch(/my laptop +default +admin +good/);
  });

  it("JWTs in five minutes", async () => {
    const said = await follow("JWTs in five minutes", {
      JWT_SECRET: Buffer.from("x".repeat(48)).toString("base64"),
      JWT_ISSUER: "https://id.example.com",
      JWT_AUDIENCE: "vconductor",
    });
    expect(said).toContain('{"vcons":[],"next":null}');
  });

  it("An OpenID Connect issuer in five minutes", async () => {
    const issuer = await OidcIssuer.start();
    issuer.granted = { realm_access: { roles: ["vcon-admins"] } };
    const said = await follow("An OpenID Connect issuer in five minutes", {
      ...issuer.env,
      JWT_ROLES_CLAIM: "realm_access.roles",
      JWT_ROLE_MAP: '{"vcon-admins": "admin"}',
    });
    expect(said).toContain('{"vcons":[],"next":null}');
  });

  it("ingest keys", async () => {
    const key = (await follow("Ingest keys", { ACCESS: "on" })).trim();
    const answer = await server?.call("GET", "/vcons", { headers: { authorization: `Bearer ${key}` } });
    expect([key, answer?.status]).toEqual([expect.stringMatching(/^vct_\w+/), 403]);
  });
});

it("names settings that there are, and no others", () => {
  const settings = new Set(
    [...readFileSync(join(root, "docs/configuration.md"), "utf8").matchAll(/^### (\w+)$/gm)].map(
      ([, name]) => name,
    ),
  );
  const named = [...text.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([name]) => name);
  const invented = ["RECORDER_SECRET"];
  expect([...new Set(named)].filter((name) => !settings.has(name) && !invented.includes(name))).toEqual([]);
});
