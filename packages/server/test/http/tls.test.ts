import { once } from "node:events";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { makeTestCertificates, type TestCertificates } from "@vconductor/vcon/security";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";

let directory: string;
let first: TestCertificates;
let second: TestCertificates;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-tls-"));
  first = await makeTestCertificates({ name: "localhost", keyType: "EC" });
  second = await makeTestCertificates({ name: "localhost", keyType: "EC" });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const path = (name: string) => join(directory, name);
const chain = ({ leaf, intermediate }: TestCertificates) => leaf.certificate + intermediate.certificate;

async function write(name: string, made: TestCertificates, key = made.leaf.key) {
  await writeFile(path(`${name}.crt`), chain(made));
  await writeFile(path(`${name}.key`), key);
  return { TLS_CERTIFICATE: path(`${name}.crt`), TLS_KEY: path(`${name}.key`) };
}

describe("the settings", () => {
  const problems = (env: Readonly<Record<string, string>>) => {
    try {
      readConfig({ REST_URL: "https://localhost:8443", ...env });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(({ variable, message }) => `${variable} ${message}`);
    }
  };

  it("take a pair that fits, with https", async () => {
    const env = await write("fit", first);
    expect(problems(env)).toEqual([]);
    expect(problems({ ...env, REST_URL: "http://localhost:8443" })).toEqual([
      "REST_URL must begin with https:// when TLS_CERTIFICATE is set",
    ]);
  });

  it("say what is wrong with others", async () => {
    const env = await write("unfit", first, second.leaf.key);
    expect(problems(env)[0]).toMatch(
      /^TLS_CERTIFICATE cannot be used: the key in .*unfit.key is not that of/,
    );
    expect(problems({ TLS_KEY: env.TLS_KEY })).toEqual(["TLS_CERTIFICATE is needed with TLS_KEY"]);
    expect(problems({ ...env, TLS_KEY: path("nowhere") })[0]).toMatch(
      /^TLS_KEY must be a file that can be read/,
    );
    expect(problems({ ...env, TLS_CERTIFICATE: env.TLS_KEY })[0]).toMatch(/holds no PEM certificate/);
  });
});

describe("a server with a certificate", () => {
  let server: TestServer;
  let port: number;
  beforeAll(async () => {
    const env = await write("served", first);
    server = await startTestServer({
      ...env,
      REST_URL: "https://127.0.0.1:0",
      RUN_BACKGROUND_JOBS: "false",
    });
    port = Number(new URL(server.url).port);
  });
  afterAll(() => server.stop());

  const ask = (agent: Agent, ca: readonly TestCertificates[]) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({
        host: "127.0.0.1",
        port,
        path: "/health",
        agent,
        servername: "localhost",
        ca: ca.map((made) => made.ca.certificate),
        checkServerIdentity: () => undefined,
      })
        .once("response", (answer) => {
          answer.resume().once("end", () => resolve(answer.statusCode));
        })
        .once("error", reject)
        .end();
    });

  /** The serial number of the certificate that a new connection gets. */
  async function served(): Promise<string> {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }

  it("speaks https, and says so", async () => {
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await ask(new Agent(), [first])).toBe(200);
    await expect(ask(new Agent(), [second])).rejects.toThrow();
    await expect(fetch(server.url.replace("https", "http"))).rejects.toThrow();
  });

  it("takes no TLS older than 1.2", async () => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
    });
    const [error] = await once(socket, "error");
    expect(String(error)).toMatch(/protocol|alert|unsupported/i);
  });

  it("keeps the old pair while the new one does not fit, then gives new connections the new one; old ones go on", async () => {
    const before = await served();
    const kept = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    await once(kept, "secureConnect");
    await writeFile(path("served.crt"), chain(second));
    // The key follows later, as with two files it does. Nothing tells that the server has looked in between.
    for (let n = 0; n < 3; n += 1) expect(await served()).toBe(before);
    await writeFile(path("new.key"), second.leaf.key);
    await rename(path("new.key"), path("served.key"));
    await eventually(async () => (await served()) !== before);
    expect(await ask(new Agent(), [second])).toBe(200);
    kept.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = await once(kept, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    kept.destroy();
  });

  it("follows links that are turned to another directory, as those of mounted secrets are", async () => {
    const before = await served();
    await write("mounted", first);
    for (const kind of ["crt", "key"]) {
      await symlink(path(`mounted.${kind}`), path(`link.${kind}`));
      await rename(path(`link.${kind}`), path(`served.${kind}`));
    }
    await eventually(async () => (await served()) !== before);
  });
});
