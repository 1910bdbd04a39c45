import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { call } from "../http/call.ts";
import { freePort } from "../plugins/command.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const quiet = { RUN_BACKGROUND_JOBS: "false" };

describe("the APIs of other systems", () => {
  it("are below their names, and where it is said at the root of an address of their own", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    server = await startTestServer({ ...quiet, PORCH_URL: url });
    expect((await server.call("GET", "/porch/pipelines/")).json).toEqual([]);
    expect((await call("GET", `${url}/pipelines/`)).json).toEqual([]);
    // Where an image of npg_porch looks to see whether it is well.
    expect((await call("GET", `${url}/`)).status).toBe(200);
    for (const path of ["/vcon", "/porch/pipelines", "/health", "/openapi.json", "/docs"]) {
      const answer = await call("GET", `${url}${path}`);
      expect([path, answer.status, answer.text]).toEqual([path, 404, '{"detail":"Not Found"}']);
    }
  });

  it("are there as far as FACES names them", async () => {
    server = await startTestServer({ ...quiet, FACES: "none" });
    expect((await server.call("GET", "/porch/pipelines/")).status).toBe(404);
    expect(() => readConfig({ FACES: "porch,other" })).toThrow(/FACES/);
  });

  it("an address that is taken, or open to all, stops the start", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    const port = await new Promise<number>((done) =>
      other.once("listening", () => {
        const address = other.address();
        done(typeof address === "object" && address !== null ? address.port : 0);
      }),
    );
    const taken = startTestServer({ ...quiet, PORCH_URL: `http://127.0.0.1:${port}` });
    await expect(taken).rejects.toMatchObject({
      message: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`),
      remedy: expect.stringContaining("PORCH_URL=http://localhost:8001"),
    });
    other.close();
    const twice = { PORCH_URL: "http://localhost:5000", GATEWAY_URL: "http://localhost:5000" };
    expect(() => readConfig(twice)).toThrow(/GATEWAY_URL.*is the address of PORCH_URL already/s);
    expect(() => readConfig({ SISYPHUS_URL: "http://localhost:8000" })).toThrow(
      /address of REST_URL already/,
    );
    expect(() => readConfig({ PORCH_URL: "http://0.0.0.0:8081" })).toThrow(
      /PORCH_URL.*without access control/s,
    );
    expect(readConfig({ PORCH_URL: "http://0.0.0.0:8081", ACCESS: "on" }).porchUrl?.port).toBe(8081);
  });
});
