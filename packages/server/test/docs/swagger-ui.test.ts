import { afterAll, beforeAll, expect, test } from "vitest";
import { startApi, type TestApi } from "../http/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

test("the documentation pages come with all they need, and reach for nothing elsewhere", async () => {
  const page = await api.call("GET", "/docs");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
  expect(assets.length).toBeGreaterThanOrEqual(5);
  for (const asset of assets) {
    expect(asset).toMatch(/^\/docs\/static\/[\w.-]+$/);
    const answer = await api.call("GET", asset);
    expect([asset, answer.status, answer.text.length > 0]).toEqual([asset, 200, true]);
    if (asset.endsWith(".css")) {
      const addresses = [...answer.text.matchAll(/url\(["']?([^"')]{0,30})|@import/g)];
      expect(addresses.filter(([, address]) => !address?.startsWith("data:"))).toEqual([]);
    }
    if (asset.endsWith("initializer.js")) {
      expect(answer.text).toContain("validatorUrl: null");
      expect(answer.text).toContain("resolveUrl('./json')");
    }
  }
  const specification = await api.call("GET", "/docs/json");
  expect(specification.json).toEqual((await api.call("GET", "/openapi.json")).json);
});

test("their policy lets a browser load from this server alone, with or without TLS", async () => {
  const policy = (await api.call("GET", "/docs")).headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toMatch(/https?:|upgrade-insecure-requests|swagger\.io|unsafe/);
});

test("no other file is served", async () => {
  for (const path of [
    "nope",
    "..%2f..%2fpackage.json",
    "%2e%2e/%2e%2e/package.json",
    "..%5c..%5cpackage.json",
  ]) {
    const answer = await api.call("GET", `/docs/static/${path}`);
    expect([path, answer.status, answer.text.includes("dependencies")]).toEqual([
      path,
      expect.any(Number),
      false,
    ]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  }
});
