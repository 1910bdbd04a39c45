import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { vcon } from "./documents.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    RUN_BACKGROUND_JOBS: "false",
    MAX_BODY_BYTES: "64KiB",
    CORS_ORIGINS: "http://console.example, https://editor.example:8443",
  });
});
afterAll(() => server.stop());

describe("ids in paths", () => {
  it.each([
    "01855517-test-fake-uuid-77776666acbe",
    "fake_uuid1",
    "bogus_UUID",
    "with blank",
    "0",
    "-1",
    "Ünïcødé 😀",
    "a:b;c=d,e",
    "%41",
    "..",
    "__proto__",
    "constructor",
    "jq",
  ])("are opaque: %s", async (id) => {
    const path = encodeURIComponent(id).replaceAll(".", "%2E");
    expect((await server.call("POST", "/vcon", { body: vcon(id) })).status).toBe(204);
    // A path of dots is resolved by every client before it is sent.
    if (id !== "..") {
      expect((await server.call("GET", `/vcon/${path}`)).json).toMatchObject({ uuid: id });
      expect((await server.call("POST", `/queue/${path}`)).status).toBe(204);
      expect((await server.call("GET", `/queue/${path}`)).json).toEqual([]);
      expect((await server.call("DELETE", `/vcon/${path}`)).status).toBe(204);
      const missing = await server.call("GET", `/vcon/${path}`);
      expect([missing.status, missing.json]).toEqual([
        404,
        { detail: `vCon UUID: ${id} not found`, code: "vcon_not_found", exception_class: "VconNotFound" },
      ]);
    }
  });

  it("must be integers where they are job ids; negative ones and zero are nobody's", async () => {
    for (const id of ["0", "-1", "999999"]) {
      for (const method of ["PUT", "DELETE"]) {
        const answer = await server.call(method, `/in_progress/${id}`);
        expect([answer.status, answer.json]).toMatchObject([404, { detail: `job: ${id} not found` }]);
      }
    }
    for (const id of ["x", "1.5", "1e3", "99999999999999999999"]) {
      expect([id, (await server.call("PUT", `/in_progress/${id}`)).status]).toEqual([id, 422]);
    }
  });
});

describe("bodies", () => {
  it("without a Content-Type are JSON; text/plain is not", async () => {
    await server.call("POST", "/queue/typed");
    const put = (headers?: Record<string, string>) =>
      server.call("PUT", "/queue/typed", {
        body: { job_type: "vcon_uuid", vcon_uuid: ["a"] },
        ...(headers === undefined ? {} : { headers }),
      });
    expect((await put()).json).toBe(1);
    expect((await put({ "content-type": "application/json" })).json).toBe(2);
    expect((await put({ "content-type": "Application/JSON;charset=UTF-8" })).json).toBe(3);
    const plain = await put({ "content-type": "text/plain" });
    expect([plain.status, plain.json]).toMatchObject([422, { detail: [{ loc: ["body"] }] }]);
  });

  it("may hold what nobody knows, in bodies and in queries", async () => {
    const answer = await server.call("PUT", "/queue/typed?whatever=1", {
      body: { job_type: "vcon_uuid", vcon_uuid: ["a"], extra: { deep: [] } },
    });
    expect(answer.json).toBe(4);
  });

  it("are answered with exactly application/json", async () => {
    for (const path of ["/queues", "/servers", "/openapi.json", "/vcon/none", "/none", "/health", "/vcons"]) {
      const type = (await server.call("GET", path)).headers.get("content-type");
      expect([path, type]).toEqual([path, "application/json"]);
    }
  });

  it("have limits", async () => {
    const exact = JSON.stringify(vcon("big", { attachments: [{ body: "" }] }));
    const fill = (bytes: number) =>
      exact.replace('"body":""', `"body":"${"x".repeat(bytes - exact.length)}"`);
    expect((await server.call("POST", "/vcon", { body: fill(65_536) })).status).toBe(204);
    const over = await server.call("POST", "/vcon", { body: fill(65_537) });
    expect([over.status, over.json]).toEqual([
      413,
      { detail: "The body is larger than the limit of 65536 bytes", code: "too_large" },
    ]);
    for (const [path, method] of [
      ["/pipeline/p", "PUT"],
      ["/queue/typed", "PUT"],
      ["/pipeline/p/run", "POST"],
      ["/process/u/tag", "POST"],
    ] as const) {
      const answer = await server.call(method, path, { body: fill(65_537) });
      expect([path, answer.status]).toEqual([path, 413]);
    }
    const nested = (depth: number) =>
      `{"uuid":"deep","vcon":"0.3.0","parties":[],"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect((await server.call("POST", "/vcon", { body: nested(64) })).status).toBe(204);
    const deep = await server.call("POST", "/vcon", { body: nested(65) });
    expect([deep.status, deep.json]).toMatchObject([422, { code: "invalid_request" }]);
  });
});

describe("paths", () => {
  it("with a slash too many are redirected with 307, with the query", async () => {
    for (const [from, to] of [
      ["/in_progress/", "/in_progress"],
      ["/servers/?a=b%20c&a=d", "/servers?a=b%20c&a=d"],
      ["/queue/x%20y/", "/queue/x%20y"],
      ["/vcon/u/jq/?jq_transform=.a", "/vcon/u/jq?jq_transform=.a"],
    ]) {
      const answer = await server.call("GET", from ?? "");
      expect([answer.status, answer.headers.get("location"), answer.text]).toEqual([307, to, ""]);
    }
    const followed = await server.fetch("/vcon/", {
      method: "POST",
      body: JSON.stringify(vcon("followed")),
      headers: { "content-type": "application/json" },
    });
    expect([followed.status, followed.redirected]).toEqual([204, true]);
  });

  it("that do not exist are 404, methods that a path has not are 405, as JSON", async () => {
    for (const path of ["/", "/nope", "/vcon/a/b/c", "/process/u/nope", "/processIO/nope", "/Vcon/a"]) {
      const answer = await server.call(path.startsWith("/process") ? "POST" : "GET", path);
      expect([path, answer.status, answer.json]).toEqual([
        path,
        404,
        { detail: "Not Found", code: "not_found" },
      ]);
    }
    for (const [method, path] of [
      ["GET", "/vcon"],
      ["PUT", "/vcon"],
      ["PATCH", "/pipeline/p"],
      ["DELETE", "/queues"],
      ["GET", "/process/u/tag"],
    ] as const) {
      const answer = await server.call(method, path);
      expect([path, answer.status, answer.json]).toEqual([
        path,
        405,
        { detail: "Method Not Allowed", code: "method_not_allowed" },
      ]);
      expect(answer.headers.get("allow")).toBeTruthy();
    }
  });

  it.each(["/pipeline/p/run/u", "/queues"])(
    "have no answer for HEAD and OPTIONS but 405 or 404: %s",
    async (path) => {
      expect((await server.call("HEAD", path)).status).toBe(405);
    },
  );
});

describe("query booleans", () => {
  it.each([
    [true, ["true", "TRUE", "1", "yes", "On", "t", "Y"]],
    [false, ["false", "False", "0", "no", "OFF", "f", "n"]],
  ])("have the spellings of the reference: %s", async (value, spellings) => {
    await server.call("PUT", "/pipeline/empty", { body: { pipeline_options: {}, processors: [] } });
    for (const spelling of spellings) {
      const answer = await server.call("POST", `/pipeline/empty/run?return_results=${spelling}`, {
        body: vcon("spelt"),
      });
      expect([spelling, answer.status, answer.json !== null]).toEqual([spelling, 200, value]);
    }
  });

  it("refuse others, in the list form", async () => {
    const answer = await server.call("POST", "/pipeline/empty/run?return_results=maybe", {
      body: vcon("spelt"),
    });
    expect([answer.status, answer.json]).toMatchObject([
      422,
      { detail: [{ type: "bool_parsing", loc: ["query", "return_results"], input: "maybe" }] },
    ]);
  });
});

describe("CORS", () => {
  const preflight = (origin: string) =>
    server.fetch("/server/queue/x", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "content-type,if-match",
      },
    });

  it.each(["http://console.example", "https://editor.example:8443"])(
    "lets %s in, with credentials",
    async (origin) => {
      const asked = await preflight(origin);
      expect(asked.status).toBe(204);
      expect(asked.headers.get("access-control-allow-methods")).toContain("DELETE");
      expect(asked.headers.get("access-control-allow-headers")).toBe("content-type,if-match");
      for (const answer of [asked, await server.fetch("/vcon/none", { headers: { origin } })]) {
        expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
        expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
        expect(answer.headers.get("vary")).toContain("Origin");
      }
    },
  );

  it("lets nobody else in", async () => {
    for (const origin of ["http://evil.example", "http://console.example.evil.example", "null"]) {
      for (const answer of [
        await preflight(origin),
        await server.fetch("/queues", { headers: { origin } }),
      ]) {
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });
});
