import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { vcon } from "./documents.ts";
import { OpenApiDocument, type Operation } from "./openapi-document.ts";

// What no client library would send: written to the socket, byte by byte.

const deadlineMs = 5000;
const perOperation = 24;
let server: TestServer;
let document: OpenApiDocument;
beforeAll(async () => {
  server = await startTestServer({
    RUN_BACKGROUND_JOBS: "false",
    MAX_BODY_BYTES: "64KiB",
    JQ_TIMEOUT_SECONDS: "2",
    PLUGIN_PATHS: testPlugins,
  });
  document = new OpenApiDocument((await server.call("GET", "/openapi.json")).json);
  await server.call("POST", "/vcon", { body: vcon("u") });
  await server.call("POST", "/queue/u");
});
afterAll(() => server.stop());

interface RawAnswer {
  /** 0 when the connection was closed without an answer. */
  readonly status: number;
  readonly text: string;
}

/** Sends bytes, ends the sending side where told to, and waits for the head of the answer and what comes with it. */
function raw(bytes: Buffer, { half = false }: { readonly half?: boolean } = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer in ${deadlineMs} ms to ${shortened(bytes)}`));
    }, deadlineMs);
    const finish = () => {
      clearTimeout(late);
      socket.destroy();
      const text = answerIn(chunks);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      // Only one answer is wanted, and all of it; an event stream has no end.
      const text = answerIn(chunks);
      const [head = "", body] = text.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (body !== undefined && (/ 204 | 304 |text\/event-stream/.test(head) || body.length >= length))
        finish();
    });
    socket.on("error", () => {});
    socket.once("close", finish);
    socket.once("connect", () => (half ? socket.end(bytes) : socket.write(bytes)));
  });
}

function shortened(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1").slice(0, 500));
}

/** Without the invitation to go on that `Expect: 100-continue` asks for. */
function answerIn(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("latin1").replace("HTTP/1.1 100 Continue\r\n\r\n", "");
}

function judge({ status, text }: RawAnswer, about: string): void {
  const shown = `${about} => ${text.slice(0, 500)}`;
  expect(status < 500 || status === 503 || status === 505, shown).toBe(true);
  expect(text, shown).not.toMatch(/\n\s+at .*\(|node_modules|\.ts:\d/);
}

const hostileSegment = fc.constantFrom(
  ".",
  "..",
  "%2e%2e",
  "%",
  "%zz",
  "%c0%af",
  "%00",
  "%ED%A0%80",
  "%F0%9F%98%80",
  "\u00e9",
  "a".repeat(4000),
  "a".repeat(9000),
  "-9223372036854775809",
  "1e309",
  "*",
  "a;b=c",
  "a+b",
  "''",
);
// Most requests should come as far as the handler.
const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constant("u") },
  { weight: 1, arbitrary: hostileSegment },
);
const query = fc.constantFrom(
  "",
  "?",
  "?&&&=&=",
  "?limit=1&limit=2&limit=3",
  "?limit[]=1&limit[a]=2",
  "?__proto__=1&__proto__[x]=2&constructor=3",
  "?timeout=0&timeout=1",
  "?cursor=%00&text=%ff&since=%C3%28",
  "?types=%00,run&queue=",
  `?${"a=b&".repeat(3000)}`,
  `?text=${"x".repeat(6000)}`,
  "?save_vcons=&return_results=&commit_changes=",
  "?jq_transform=%00&path_string=%00",
  "?jq_transform=input&path_string=%24%5B",
  "?jq_transform=%5Blimit(3%3B%20repeat(.))%5D&path_string=%24..*",
  "?offset=-1&active=%E2%9C%93&job=0x10",
);
const headers = fc.subarray(
  [
    "If-Match: \x80\xff",
    'If-Match: "1", *, W/"2"',
    `If-None-Match: ${"*,".repeat(2000)}`,
    "Idempotency-Key:",
    "Idempotency-Key: \xc3\x28",
    "Idempotency-Key: a\r\nIdempotency-Key: b",
    "Content-Type: application/json; charset=utf-16",
    "Content-Type: \x01/\x7f",
    "Content-Type: multipart/form-data; boundary=x",
    "Content-Encoding: gzip",
    "Expect: 100-continue",
    "Accept: \xff",
    "Origin: \u0001null",
    "X-Forwarded-For: ', ,,%00",
    "Cookie: =;=;",
    "Range: bytes=5-1",
    "X-Http-Method-Override: DELETE",
  ],
  { maxLength: 2 },
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    Buffer.from('{"uuid":"\xff\xfe"}', "latin1"),
    Buffer.from('\ufeff{"uuid":"u"}', "utf16le"),
    Buffer.from('{"uuid":"u","parties":[],"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}'),
    Buffer.from('{"tags":["\\ud800\\u0000"],"queue_name":"\\ud800","parameters":{"\\u0000":"\\udfff"}}'),
    Buffer.from('{"jq_queries":{"a":"while(true;.)"},"format_options":{"label":"{a[b][c]}"}}'),
    Buffer.from(
      '{"processor_io":{"vcons":[{"uuid":"\\u0000"}],"parameters":{"__proto__":1}},"processor_options":{}}',
    ),
    Buffer.from('{"weight":1e400,"paused":1e400,"vcon_uuid":[1e400],"priority":1e400,"delay":-1e400}'),
    Buffer.from(`{"pipeline_options":{},"processors":[${'{"processor_name":"tag"},'.repeat(500)}{}]}`),
    Buffer.from(`${"[".repeat(30_000)}`),
    Buffer.from(`{"a":${"9".repeat(30_000)}}`),
    Buffer.alloc(70_000, 0x20),
  ),
);

describe("requests written to the socket", () => {
  it("never break anything, at any route", async () => {
    const requests = document.operations.flatMap((operation, index) =>
      fc
        .sample(
          fc.record({ segments: fc.array(segment, { minLength: 3, maxLength: 3 }), query, headers, body }),
          {
            seed: 4_711 + index,
            numRuns: perOperation,
          },
        )
        .map((request) => ({ operation, ...request })),
    );
    // Some at a time: it is the server that is tested, not the patience.
    const queue = requests.values();
    const work = async () => {
      for (const request of queue) {
        const bytes = written(request.operation, request);
        judge(await raw(bytes), shortened(bytes));
      }
    };
    await Promise.all([work(), work(), work(), work()]);
  });

  it("that end before they should hold up nobody, and have no effect", async () => {
    const text = JSON.stringify(vcon("cut"));
    const head = `POST /vcon HTTP/1.1\r\nHost: h\r\nContent-Length: ${text.length}\r\n`;
    for (const part of ["P", "POST /vcon", head, `${head}\r\n`, `${head}\r\n${text.slice(0, -1)}`]) {
      judge(await raw(Buffer.from(part), { half: true }), part);
    }
    const chunked = "POST /vcon HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    judge(await raw(Buffer.from(`${chunked}5\r\n{"uui`), { half: true }), "chunked");
    expect((await server.call("GET", "/vcon/cut")).status).toBe(404);
  });

  it("with a length that is wrong are told so, or end", async () => {
    const text = JSON.stringify(vcon("short"));
    const send = (length: string) =>
      raw(Buffer.from(`POST /vcon HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n${text}`));
    for (const length of ["-1", "x", "1e3", "99999999999999999999", "5, 6"]) {
      const answer = await send(length);
      expect([length, answer.status]).toEqual([
        length,
        expect.toSatisfy((status) => [400, 413].includes(status)),
      ]);
    }
    // Too short: the document is cut off, and the rest is no request. Which of the two shows first is open.
    expect([400, 422]).toContain((await send("10")).status);
    expect((await send(String(10 ** 9))).status).toBe(413);
    expect((await server.call("GET", "/vcon/short")).status).toBe(404);
  });

  it("leave a server that works", async () => {
    expect((await server.call("GET", "/health/ready")).status).toBe(200);
    expect((await server.call("POST", "/vcon", { body: vcon("after") })).status).toBe(204);
    expect((await server.call("GET", "/vcon/after")).json).toEqual(vcon("after"));
    expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
  });
});

function written(
  { method, path }: Operation,
  request: {
    readonly segments: readonly string[];
    readonly query: string;
    readonly headers: readonly string[];
    readonly body: Buffer;
  },
): Buffer {
  const parts = [...request.segments];
  const target = path.replace(/\{\w+\}/g, () => parts.shift() ?? "u");
  // A long poll waits for as long as it is asked to.
  const search = path.endsWith("/wait") ? "?timeout=0" : request.query;
  const lines = [
    `${method} ${target}${search} HTTP/1.1`,
    "Host: h",
    ...request.headers,
    ...(method === "GET" ? [] : [`Content-Length: ${request.body.length}`]),
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return method === "GET" ? head : Buffer.concat([head, request.body]);
}
