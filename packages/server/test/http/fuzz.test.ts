import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApi, type TestApi } from "./start-api.ts";

// Whatever is thrown at a route: never a 5xx, never a hang, never a look at the inside.

interface Route {
  readonly method: string;
  readonly path: string;
}

let api: TestApi;
let routes: readonly Route[];
const deadlineMs = 10_000;
const perRoute = 40;

beforeAll(async () => {
  api = await startApi({ env: { MAX_BODY_BYTES: "200000" } });
  const document: { readonly paths: Readonly<Record<string, object>> } = JSON.parse(
    (await api.call("GET", "/openapi.json")).text,
  );
  routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
  // Something for the hostile requests to work on.
  await api.call("POST", "/vcon", { body: { uuid: "known", parties: [{ name: "Ann" }], dialog: [] } });
  await api.call("POST", "/queue/known");
  await api.call("PUT", "/pipeline/known", { body: { pipeline_options: {}, processors: [] } });
});
afterAll(() => api.stop());

const nasty = fc.constantFrom(
  "known",
  "0",
  "-1",
  "1e999",
  "99999999999999999999",
  "NaN",
  "null",
  "true",
  "..",
  "%00",
  "%",
  "%zz",
  "%2e%2e%2f",
  "%ff%fe",
  "%ed%a0%80",
  "%F0%9F%98%80",
  "a".repeat(300),
  "b".repeat(5000),
  "'; drop table vcon; --",
  "__proto__",
  "constructor",
  "[]",
  "{}",
  "$..*",
  "$[?search(@.a, '(a+)+$')]",
  "def f: f; f",
  "\\u0000",
);

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1e308,
    2 ** 53,
    "",
    "known",
    "\u0000",
    "\ud800",
    "x".repeat(2000),
  ),
  fc.string(),
  fc.double(),
);
const names = fc.constantFrom(
  "uuid",
  "parties",
  "dialog",
  "vcon",
  "payload",
  "signatures",
  "pipeline_options",
  "processors",
  "processor_name",
  "processor_options",
  "processor_io",
  "vcons",
  "parameters",
  "format_options",
  "should_process",
  "timeout",
  "job_type",
  "vcon_uuid",
  "weight",
  "paused",
  "tags",
  "jq_queries",
  "queue_name",
  "__proto__",
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie("value")), { maxLength: 5 }).map((members) => Object.fromEntries(members)),
  ),
}));
const body = fc.oneof(
  { weight: 6, arbitrary: value.map((one) => JSON.stringify(one) ?? "") },
  { weight: 1, arbitrary: fc.string() },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "{",
      "[".repeat(5000),
      `${'{"a":'.repeat(200)}1${"}".repeat(200)}`,
      '{"uuid":"a","uuid":"b","parties":[]}',
      '{"__proto__":{"polluted":true},"uuid":"p","parties":[]}',
      "9".repeat(400),
      `"${"x".repeat(250_000)}"`,
      "\ufeff{}",
      "",
    ),
  },
);
const headers = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "text/plain",
      "application/json; charset=latin1",
      "a/b/c",
      ";",
    ),
    "if-match": fc.constantFrom("*", '"1"', "W/1", "1", '"'),
    "if-none-match": fc.constantFrom("*", '"1"', "garbage"),
    "idempotency-key": fc.oneof(fc.uuid(), fc.constantFrom("x".repeat(300), " ", "a b")),
    accept: fc.constantFrom("text/html", "*/*", "q"),
  },
  { requiredKeys: [] },
);
const query = fc.dictionary(
  fc.constantFrom(
    "limit",
    "cursor",
    "offset",
    "since",
    "text",
    "tel",
    "timeout",
    "jq_transform",
    "path_string",
    "version",
    "commit_changes",
    "save_vcons",
    "active",
    "outcome",
    "job",
    "types",
  ),
  nasty,
  { maxKeys: 4 },
);

/** Routes that answer for as long as somebody listens. */
const endless = new Set(["/events"]);

async function send(route: Route, request: { path: string; body: string; headers: Record<string, string> }) {
  const response = await fetch(api.url + request.path, {
    method: route.method,
    redirect: "manual",
    headers: { "content-type": "application/json", ...request.headers },
    signal: AbortSignal.timeout(deadlineMs),
    ...(route.method === "GET" ? {} : { body: request.body }),
  });
  if (endless.has(route.path) && response.status === 200) {
    await response.body?.cancel();
    return { status: response.status, text: "" };
  }
  return { status: response.status, text: await response.text() };
}

function judge(label: string, answer: { readonly status: number; readonly text: string }): void {
  const shown = `${label} answered ${answer.status}: ${answer.text.slice(0, 300)}`;
  expect(answer.status, shown).toBeLessThan(500);
  expect(answer.text, shown).not.toMatch(/node_modules|\.ts:\d|^\s+at .*\(/m);
}

test("hostile paths, queries, headers and bodies at every route", async () => {
  let seed = 20261123;
  for (const route of routes) {
    const requests = fc.sample(
      fc.record({ parts: fc.array(nasty, { minLength: 3, maxLength: 3 }), query, headers, body }),
      {
        seed: seed++,
        numRuns: perRoute,
      },
    );
    for (const request of requests) {
      const parts = [...request.parts];
      const path = route.path.replace(/\{[^}]+\}/g, () => parts.shift() ?? "x");
      const search = new URLSearchParams(request.query).toString();
      // A long poll waits as long as it is asked to.
      const wait = route.path.endsWith("/wait") ? "&timeout=0.01" : "";
      const url = `${path.replaceAll(" ", "%20")}?${search.replace(/timeout=[^&]*/, "")}${wait}`;
      const answer = await send(route, { path: url, body: request.body, headers: request.headers });
      judge(`${route.method} ${url.slice(0, 200)} ${request.body.slice(0, 200)}`, answer);
    }
  }
  const { status } = await api.call("GET", "/health/ready");
  expect(status).toBe(200);
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  expect((await api.call("POST", "/vcon", { body: { uuid: "after", parties: [] } })).status).toBe(204);
  expect((await api.call("GET", "/vcon/after")).json).toEqual({ uuid: "after", parties: [] });
});

test("what is hardly HTTP is answered or cut off, and the server goes on", async () => {
  const port = Number(new URL(api.url).port);
  const texts = [
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET /queues HTTP/1.1\r\n\r\n",
    `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(100_000)}\r\n\r\n`,
    "POST /vcon HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
    "POST /vcon HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /vcon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "GET /vcon/\u0000 HTTP/1.1\r\nHost: x\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  ];
  for (const text of texts) {
    const answer = await raw(port, text);
    expect(answer, text.slice(0, 60)).not.toMatch(/HTTP\/1\.1 5\d\d (?!HTTP Version)/);
    expect(answer).not.toMatch(/node_modules|\.ts:\d/);
  }
  // Half a request, and then silence: it holds up nobody else.
  const half = connect(port, "127.0.0.1");
  half.write("POST /vcon HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  expect((await api.call("GET", "/health/live")).status).toBe(200);
  half.destroy();
});

function raw(port: number, text: string): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setTimeout(deadlineMs, () => failed(new Error(`no answer to ${text.slice(0, 60)}`)));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
      // A good request may be answered on a connection that stays open.
      if (/^HTTP\/1\.1 \d/.test(answer)) socket.end();
    });
    socket.once("close", () => done(answer));
    socket.once("error", () => done(answer));
  });
}
