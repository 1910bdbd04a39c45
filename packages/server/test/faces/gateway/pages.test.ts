import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type CallOptions, call } from "../../http/call.ts";
import { freePort } from "../../plugins/command.ts";
import { problem, startGateway, type TestGateway } from "./start-gateway.ts";

const stub = {
  celery_queue_name: "stub_queue",
  celery_task_name: "stub",
  version: "0.4.1",
  name: "A <stub>",
  tags: "speech, test",
  os_args: { password: "hidden" },
  doc: "https://docs.example/stub",
  source: ",204",
  licence: "MIT <licence>,200",
  home: "<p>Home of the stub</p>",
  noparams: true,
};
const free = { celery_queue_name: "free_queue", celery_task_name: "free", noparams: true };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ WORKER_SERVICES: { stub, free } });
});
afterAll(() => gateway.stop());

const send = (method: string, path: string, options?: CallOptions) => gateway.send(method, path, options);
const json = { headers: { accept: "application/json" } };

describe("information", () => {
  it("of all services, without what is nobody's business", async () => {
    const info = await send("GET", "/info");
    expect(info.json).toMatchObject({ version: "1.9.3", services: { stub: { version: "0.4.1" }, free: {} } });
    expect(info.text).not.toContain("hidden");
  });

  it("of one, as JSON or as a page", async () => {
    for (const path of ["/stub/info", "/stub/service/info"]) {
      const info = await send("GET", path, json);
      expect(info.json).toMatchObject({ version: "1.9.3_0.4.1", name: "A <stub>", tags: ["speech", "test"] });
      expect(at(info.json, "activeWorkers")).toBe(0);
    }
    const page = await send("GET", "/stub/info");
    expect([page.headers.get("content-type"), page.text]).toEqual([
      "text/html; charset=utf-8",
      expect.stringContaining("A &lt;stub&gt;"),
    ]);
    for (const _ of [1, 2]) await send("POST", "/stub/process");
    const stats = await send("GET", "/stub/stats", json);
    expect(stats.json).toEqual({ lastReset: expect.stringMatching(/Z$/), invocations: 2 });
    const doc = await send("GET", "/stub/doc");
    expect([doc.status, doc.headers.get("location")]).toEqual([302, "https://docs.example/stub"]);
    expect((await send("GET", "/stub/source")).status).toBe(204);
    expect((await send("GET", "/stub/service/licence")).text).toBe("MIT <licence>");
    expect((await send("GET", "/stub/")).text).toContain("Home of the stub");
    expect(problem(await send("GET", "/stub/tryme"))).toEqual([500, 103]);
    expect(problem(await send("GET", "/none/info", json))).toEqual([400, 202]);
    const html = await send("GET", "/none/info", { headers: { accept: "text/html" } });
    expect([html.status, html.text]).toEqual([400, expect.stringContaining("<h1>Error 400</h1>")]);
    expect((await send("GET", "/503")).status).toBe(503);
  });
});

describe("what the caller accepts", () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const types = async (path: string, accepts: readonly string[]) => {
    const all = accepts.map(async (accept) => {
      const { headers } = await send("GET", path, { headers: { accept } });
      return headers.get("content-type")?.replace(/^.*\/|;.*$/g, "");
    });
    return await Promise.all(all);
  };

  it("is weighed: pages are HTML unless JSON is better, errors JSON unless HTML is better", async () => {
    const accepts = [
      "*/*",
      browser,
      "application/json",
      "text/html;q=0.5,application/json;q=0.9",
      "application/json;q=0.5,text/html",
      "application/json;q=0",
      "nonsense",
    ];
    expect(await types("/stub/info", accepts)).toEqual([
      "html",
      "html",
      "json",
      "json",
      "html",
      "html",
      "html",
    ]);
    expect(await types("/none/info", accepts)).toEqual([
      "json",
      "html",
      "json",
      "json",
      "html",
      "json",
      "json",
    ]);
  });

  it("makes a status XML for those who ask for it, and no others", async () => {
    const uuid = at((await send("POST", "/stub/process")).json, "uuid");
    const accepts = ["application/json;q=0.5, application/xml", "text/html", browser, "*/*"];
    expect(await types(`/stub/status?uuid=${uuid}`, accepts)).toEqual(["xml", "json", "json", "json"]);
  });
});

describe("methods", () => {
  it("HEAD is answered as GET is, others are refused with those that there are", async () => {
    for (const path of [
      "/info",
      "/stub/info",
      "/stub/service/stats",
      "/stub/",
      "/stub/doc",
      "/stub/source",
    ]) {
      const [head, got] = [await send("HEAD", path, json), await send("GET", path, json)];
      expect([path, head.status, head.text, head.headers.get("content-length")]).toEqual([
        path,
        got.status,
        "",
        String(got.text.length),
      ]);
    }
    expect((await send("HEAD", "/stub/status?uuid=x")).status).toBe(400);
    const posted = await send("POST", "/stub/info", json);
    expect([...problem(posted), posted.headers.get("allow")]).toEqual([405, 101, "GET, HEAD"]);
    const got = await send("GET", "/stub/process/1", json);
    expect([...problem(got), got.headers.get("allow")]).toEqual([405, 101, "POST"]);
    // A mere look must not cancel anything.
    expect((await send("HEAD", "/stub/cancel?uuid=x")).status).toBe(405);
  });
});

describe("the root", () => {
  const roots = ["", "/doc", "/stats", "/service/licence", "/status?uuid=1", "/cancel?uuid=1"];

  it("is of no service where none is called `.`, and a service's name leads to its page", async () => {
    for (const path of roots)
      expect([path, ...problem(await send("GET", path, json))]).toEqual([path, 400, 202]);
    for (const path of ["/process", "/annotate/1"]) {
      expect([path, ...problem(await send("POST", path))]).toEqual([path, 400, 202]);
    }
    const named = await send("GET", "/stub?a=1");
    expect([named.status, named.headers.get("location")]).toEqual([308, "/gateway/stub/?a=1"]);
    expect(problem(await send("GET", "/none", json))).toEqual([400, 202]);
  });

  it("is of the service that is called `.`, also at an address of its own", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const other = await startGateway({ WORKER_SERVICES: { ".": stub, free } }, { GATEWAY_URL: url });
    try {
      for (const path of ["/info", "/service/info"]) {
        expect((await other.send("GET", path, json)).json).toMatchObject({ name: "A <stub>" });
      }
      expect((await other.send("GET", "")).text).toContain("Home of the stub");
      expect((await call("GET", `${url}/`)).text).toContain("Home of the stub");
      expect((await call("GET", `${url}/free`)).headers.get("location")).toBe("/free/");
      expect((await call("HEAD", `${url}/doc`)).status).toBe(302);
      expect((await call("PUT", `${url}/doc`)).headers.get("allow")).toBe("GET, HEAD");
      const asked = await other.send("POST", "/process");
      const status = await other.send("GET", `/status?uuid=${at(asked.json, "uuid")}`);
      expect(status.json).toMatchObject({ status: "PENDING" });
      expect((await other.send("GET", "/free/info", json)).status).toBe(200);
    } finally {
      await other.stop();
    }
  });
});
