import { mkdirSync, writeFileSync } from "node:fs";
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeTestCertificates, type TestCertificates } from "../../src/security/test-certificates.ts";
import { call, makeFolder, out, vcon } from "./run-vcon.ts";

const folder = makeFolder();
const stored = new Map<string, string>();
const seen: { readonly method: string | undefined; readonly authorization: string | undefined }[] = [];
const token = "s3cret";
let certificates: TestCertificates;
let plain: { readonly server: Server; readonly port: number };
let secure: { readonly server: Server; readonly port: number };

/** A store of vCons: POST /vcon, GET /vcon/UUID; under /locked only with the token. */
const store: RequestListener = async (request, response) => {
  seen.push({ method: request.method, authorization: request.headers.authorization });
  const path = request.url ?? "";
  if (path.startsWith("/locked") && request.headers.authorization !== `Bearer ${token}`) {
    return response
      .writeHead(401, { "content-type": "application/json" })
      .end('{"detail":"Not authenticated"}');
  }
  const uuid = /\/vcon\/(.+)$/.exec(path)?.[1];
  if (request.method === "POST" && path.endsWith("/vcon")) {
    const text = await bodyOf(request);
    stored.set(JSON.parse(text).uuid, text);
    return response.writeHead(204).end();
  }
  const found = uuid === undefined ? undefined : stored.get(uuid);
  return response.writeHead(found === undefined ? 404 : 200).end(found ?? "");
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

async function listen(server: Server): Promise<{ readonly server: Server; readonly port: number }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

beforeAll(async () => {
  certificates = await makeTestCertificates({ name: "localhost" });
  plain = await listen(createPlainServer(store));
  const { leaf, intermediate, ca } = certificates;
  const cert = leaf.certificate + intermediate.certificate;
  secure = await listen(
    createSecureServer(
      { cert, key: leaf.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: false },
      store,
    ),
  );
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(folder.in("ca.crt"), ca.certificate);
});
afterAll(() => {
  for (const { server } of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
  folder.remove();
});

const { uuid } = JSON.parse(call);

test("-p posts what was written, -g gets it", async () => {
  expect(await out(["-p", "127.0.0.1", `${plain.port}`], { input: call })).toBe(call);
  expect(stored.get(uuid)).toBe(call);
  expect(await out(["-g", "127.0.0.1", `${plain.port}`, uuid])).toBe(call);
  expect(await out(["-g", "127.0.0.1", `${plain.port}`, uuid, "validate"])).toBe("No findings.\n");
});

test("post and get take whole addresses", async () => {
  const base = `http://127.0.0.1:${plain.port}/api`;
  expect(await out(["post", base], { input: call })).toBe(`${uuid}\n`);
  expect(await out(["get", `${base}/`, uuid])).toBe(call);
});

test("a token, from the environment or an option, and never without being asked for", async () => {
  const base = `http://127.0.0.1:${plain.port}/locked`;
  expect(await vcon(["get", base, uuid])).toMatchObject({
    code: 5,
    stderr: `vcon: 127.0.0.1:${plain.port} answered 401: {"detail":"Not authenticated"}. Give a token: --token, or the variable VCON_TOKEN.\n`,
  });
  expect(seen.at(-1)?.authorization).toBeUndefined();
  expect(await out(["get", base, uuid], { env: { VCON_TOKEN: token } })).toBe(call);
  expect(await out(["post", base, "--token", token], { input: call })).toBe(`${uuid}\n`);
});

test("TLS: only a server whose certificate is trusted", async () => {
  const base = `https://localhost:${secure.port}`;
  expect(await vcon(["get", base, uuid])).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/cannot be reached: .*certificate/),
  });
  expect(await out(["get", base, uuid, "--ca", folder.in("ca.crt")])).toBe(call);
  expect(await out(["-g", "https://localhost", `${secure.port}`, uuid, "--ca", folder.in("ca.crt")])).toBe(
    call,
  );
});

test("what is not there, and a server that is silent", async () => {
  expect(await vcon(["get", `http://127.0.0.1:${plain.port}`, "nope"])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("has no vCon nope"),
  });
  const silent = await listen(createPlainServer(() => undefined));
  try {
    expect(await vcon(["get", `http://127.0.0.1:${silent.port}`, "u", "--timeout", "0.2"])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("no answer within 0.2 seconds"),
    });
  } finally {
    silent.server.closeAllConnections();
    silent.server.close();
  }
});
