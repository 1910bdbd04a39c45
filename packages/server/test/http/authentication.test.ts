import Fastify from "fastify";
import { expect, it } from "vitest";
import { Authenticator } from "../../src/access/authenticator.ts";
import { readConfig } from "../../src/config.ts";
import type { App } from "../../src/http/app.ts";
import { addAuthentication } from "../../src/http/authentication.ts";

const tokens = {
  create: () => Promise.reject(new Error("not here")),
  list: async () => [],
  get: () => Promise.reject(new Error("not here")),
  revoke: async () => {},
  find: async () => undefined,
  noteUse: async () => {},
};

function app(): App {
  const made: App = Fastify();
  const config = readConfig({});
  addAuthentication(made, { config, access: { authenticator: new Authenticator([]), tokens } });
  return made;
}

it("a route that does not say who may call it stops the server from starting", () => {
  expect(() => app().get("/open", async () => "")).toThrow(
    "GET /open does not say in its schema who may call it",
  );
  expect(() => app().post("/half", { schema: { summary: "Half" } }, async () => "")).toThrow("POST /half");
  expect(() => app().get("/hidden", { schema: { hide: true } }, async () => "")).toThrow("GET /hidden");
});

it("one that does is described with its scopes, and with what callers without them get", () => {
  const made = app();
  let described: unknown;
  made.addHook("onRoute", ({ schema }) => {
    described = schema;
  });
  made.get("/closed", { schema: { scope: ["vcon:read", "admin"] } }, async () => "");
  expect(described).toMatchObject({
    security: [{ bearer: ["vcon:read", "admin"] }, { conserver: ["vcon:read", "admin"] }],
    response: { 401: expect.anything(), 403: expect.anything(), 429: expect.anything() },
  });
});
