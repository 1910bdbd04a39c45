import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webhookReceiver } from "../../doubles/webhook-receiver.ts";
import { type Answer, at, type CallOptions } from "../../http/call.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { problem, startGateway, type TestGateway } from "./start-gateway.ts";

const key = Buffer.from("k".repeat(64)).toString("base64");

const services = {
  CELERY_PROJ_NAME: "worker",
  GET_STORAGE_DOC_REQ_URL: "http://storage.example/get/{storage_doc_id}",
  POST_STORAGE_DOC_REQ_URL: "http://storage.example/add",
  POST_ANNOTATIONS_REQ_URL: "http://annotations.example/{document_id}/annotations",
  WORKER_SERVICES: {
    stub: {
      celery_queue_name: "stub_queue",
      celery_task_name: "stub",
      version: "0.4.1",
    },
    free: { celery_queue_name: "free_queue", celery_task_name: "free", noparams: true },
    simple_workflow: { celery_queue_name: "workflow_queue", celery_task_name: "workflow" },
  },
};

let gateway: TestGateway;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
let server: TestServer;
beforeAll(async () => {
  receiver = await webhookReceiver();
  gateway = await startGateway(services, { FETCH_ALLOW: new URL(receiver.url).host });
  ({ server } = gateway);
});
afterAll(() => gateway.stop());

const send = (method: string, path: string, options?: CallOptions) => gateway.send(method, path, options);
const idOf = (answer: Answer) => {
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("uuid")]);
  return String(at(answer.json, "uuid"));
};
const submit = async (query = "?doc_url=http://docs.example/a.wav") =>
  idOf(await send("POST", `/stub/process${query}`));
const status = async (uuid: string, service = "stub") =>
  (await send("GET", `/${service}/status?uuid=${uuid}`)).json;

/** What a worker of ours does. */
const work = (path: string, body: object) => server.call("POST", `/work/${path}`, { body });
async function claim(queue = "stub_queue", { worker = "gpu-1", version = "0.4.1" } = {}) {
  const claimed = await work(`${queue}/claim`, { worker, wait: 30, info: { version } });
  return { run: String(at(claimed.json, "jobs", 0, "run_id")), job: at(claimed.json, "jobs", 0) };
}

describe("asking a service", () => {
  it("gives its workers the message that they know, and the caller its result", async () => {
    const query =
      "?doc_url=http://docs.example/a.wav&ann_doc_id=ann 1&storage_model_id=m/1&quality=high&extra_url=http://x.example/y";
    const uuid = await submit(query);
    expect(await status(uuid)).toEqual({ uuid, status: "PENDING", result: null });
    const { run, job } = await claim();
    expect(job).toMatchObject({
      job_type: "stub",
      payload: {
        request_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
        service: {
          type: "stub",
          document: { url: "http://docs.example/a.wav", credentials: null },
          misc: {
            doc_url: "http://docs.example/a.wav",
            ann_doc_id: "ann 1",
            quality: "high",
            extra_url: "http://x.example/y",
            model_url: "http://storage.example/get/m%2F1",
            upload_url: "http://storage.example/add",
          },
        },
        annotation_service: {
          url: "http://annotations.example/ann%201/annotations",
          uuid: null,
          credentials: null,
        },
      },
    });
    expect(await status(uuid)).toMatchObject({ status: "STARTED", result: null });
    await work(`runs/${run}/heartbeat`, { progress: 40 });
    expect(await status(uuid)).toEqual({
      uuid,
      status: "PROGRESS",
      result: {
        current: 40,
        total: 100,
        worker_id_version: "0.4.1",
        start_time: expect.any(String),
        host: "gpu-1",
        type: "stub",
      },
    });
    const result = [{ "@id": "a1", "@version": 1, text: "x".repeat(100_000) }];
    await work(`runs/${run}/complete`, { result });
    for (const _ of [1, 2]) expect(await status(uuid)).toEqual({ uuid, status: "SUCCESS", result });
  });

  it("says so where the worker is of another version", async () => {
    const uuid = await submit();
    const { run } = await claim("stub_queue", { worker: "gpu-old", version: "0.3.0" });
    await work(`runs/${run}/heartbeat`, { progress: 40 });
    expect(problem(await send("GET", `/stub/status?uuid=${uuid}`))).toEqual([400, 204]);
    await work(`runs/${run}/complete`, { result: [] });
    expect(await status(uuid)).toMatchObject({ status: "SUCCESS" });
  });

  it("takes forms, stored documents, JSON bodies, and services without parameters", async () => {
    const form = await send("POST", "/stub/annotate", {
      body: "doc_url=http%3A%2F%2Fdocs.example%2F&language=fr",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const multipart = new FormData();
    multipart.set("doc_url", "http://docs.example/c");
    multipart.set("payload", new Blob(["a file"]), "f.txt");
    const posted = await fetch(`${server.url}/gateway/stub/annotate`, { method: "POST", body: multipart });
    const json = (body: unknown) => ({ body, headers: { "content-type": "application/json" } });
    const stored = await send(
      "POST",
      "/stub/process/abc%2Fd?language=en",
      json({ language: "de", deep: { x: [1] } }),
    );
    const free = await send("POST", "/free/process", json({ a: 1 }));
    for (const answer of [form, stored, free]) idOf(answer);
    expect(posted.status).toBe(200);
    const messages = [await claim(), await claim(), await claim(), await claim("free_queue")].map(({ job }) =>
      at(job, "payload", "service"),
    );
    expect(messages).toMatchObject([
      { document: { url: "http://docs.example/" }, misc: { language: "fr" } },
      { document: { url: "http://docs.example/c" }, misc: { doc_url: "http://docs.example/c" } },
      { document: { url: "http://storage.example/get/abc%2Fd" }, misc: { language: "en", deep: { x: [1] } } },
      { document: { url: null }, misc: { a: 1 } },
    ]);
  });

  it("takes of equal parameters the first, those of the address before those of a form", async () => {
    const form = await send("POST", "/free/process?a=1&a=2&storage_m_id=7&m_url=http://m.example/", {
      body: "a=3&b=4&b=5",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const multipart = new FormData();
    for (const [name, value] of ["a2", "b6", "b7"].map((pair) => [...pair]))
      multipart.append(String(name), String(value));
    const posted = await fetch(`${server.url}/gateway/free/process?a=1`, { method: "POST", body: multipart });
    idOf(form);
    expect(posted.status).toBe(200);
    const [first, second] = [await claim("free_queue"), await claim("free_queue")];
    const misc = at(first.job, "payload", "service", "misc");
    expect(misc).toEqual({
      a: "1",
      b: "4",
      m_url: "http://m.example/",
      upload_url: "http://storage.example/add",
    });
    expect(at(second.job, "payload", "service", "misc")).toMatchObject({ a: "1", b: "6" });
  });

  it("reads JSON by any name that says so, looks at no address in it, and refuses bodies of other kinds", async () => {
    const typed = (type: string, body: unknown) =>
      send("POST", "/free/process", { body, headers: { "content-type": type } });
    const urls = { a_url: null, b_url: ["x"], c_url: "d.txt", callback_url: "nowhere" };
    idOf(await typed("application/vnd.service+json; charset=utf-8", urls));
    expect(at((await claim("free_queue")).job, "payload", "service", "misc")).toMatchObject(urls);
    for (const type of ["text/plain", "application/octet-stream", "application/json-seq"]) {
      expect([type, ...problem(await typed(type, "{}"))]).toEqual([type, 415, 105]);
    }
    idOf(await send("POST", "/free/process", { body: "not looked at" }));
    expect(at((await claim("free_queue")).job, "payload", "service", "misc")).not.toHaveProperty("a_url");
  });

  it("says what is wrong, with its codes", async () => {
    const json = (body: unknown) => ({ body, headers: { "content-type": "application/json" } });
    expect(problem(await send("POST", "/stub/process"))).toEqual([400, 206]);
    expect(problem(await send("POST", "/free/annotate"))).toEqual([400, 206]);
    for (const url of ["http://h", "http://h?x=/", "/h/x", "http:///x"]) {
      const answer = await send("POST", `/stub/process?doc_url=${encodeURIComponent(url)}`);
      expect([url, ...problem(answer)]).toEqual([url, 400, 207]);
    }
    expect(problem(await send("POST", "/free/process?x_url=nothing"))).toEqual([400, 207]);
    for (const kind of ["process", "annotate"]) {
      expect(problem(await send("POST", `/none/${kind}?doc_url=http://h/x`))).toEqual([400, 202]);
    }
    expect(problem(await send("POST", "/free/process", json("{")))).toEqual([400, 105]);
    expect(problem(await send("POST", "/free/process", json([1])))).toEqual([400, 105]);
    const missing = await send("GET", "/stub/status");
    expect(missing.json).toEqual({
      status: 400,
      description: "The parameter uuid is missing",
      vesta: { code: 206, message: "MissingParameterError" },
    });
    expect(problem(await send("GET", "/stub/status?uuid=x"))).toEqual([400, 203]);
    const uuid = await submit();
    expect(problem(await send("GET", `/free/status?uuid=${uuid}`))).toEqual([400, 203]);
    expect(problem(await send("GET", `/none/status?uuid=${uuid}`))).toEqual([400, 202]);
    expect(problem(await send("GET", "/nothing/at/all/here"))).toEqual([404, 101]);
    await send("GET", `/stub/cancel?uuid=${uuid}`);
  });

  it("a worker's failure comes through the status, and can be tried again", async () => {
    await server.call("PATCH", "/queue/stub_queue", { body: { retry_limit: 1, retry_delay: 600 } });
    const uuid = await submit();
    const { run } = await claim();
    await work(`runs/${run}/fail`, { message: "no such document", code: "vesta_301" });
    const failure = { code: 301, message: "no such document" };
    expect(await status(uuid)).toEqual({ uuid, status: "RETRY", result: failure });
    const other = await submit();
    const second = await claim();
    await work(`runs/${second.run}/fail`, { message: "broken", retryable: false });
    expect(await status(other)).toEqual({
      uuid: other,
      status: "FAILURE",
      result: { code: 101, message: "broken" },
    });
    await send("GET", `/stub/cancel?uuid=${other}`);
    expect(await status(other)).toMatchObject({ status: "FAILURE" });
    await send("GET", `/stub/cancel?uuid=${uuid}`);
    expect(await status(uuid)).toMatchObject({ status: "REVOKED", result: { code: 109 } });
  });

  it("is cancelled, waiting or running; what has ended stays as it is", async () => {
    const waiting = await submit();
    const cancelled = await send("GET", `/stub/cancel?uuid=${waiting}`);
    expect(cancelled.json).toEqual({
      uuid: waiting,
      status: "REVOKED",
      result: { code: 109, message: "revoked" },
    });
    const running = await submit();
    const { run } = await claim();
    await send("GET", `/stub/cancel?uuid=${running}`);
    expect(at((await work(`runs/${run}/heartbeat`, {})).json, "cancelled")).toBe(true);
    await work(`runs/${run}/fail`, { message: "stopped" });
    expect(await status(running)).toMatchObject({
      status: "REVOKED",
      result: { code: 109, message: "terminated" },
    });
    const done = await submit();
    await work(`runs/${(await claim()).run}/complete`, { result: 1 });
    await send("GET", `/stub/cancel?uuid=${done}`);
    expect(await status(done)).toEqual({ uuid: done, status: "SUCCESS", result: 1 });
  });

  it("gives XML to those who want it", async () => {
    const uuid = await submit();
    await work(`runs/${(await claim()).run}/complete`, { result: { "a<b": ["&"] } });
    const xml = await send("GET", `/stub/status?uuid=${uuid}`, { headers: { accept: "application/xml" } });
    expect([xml.headers.get("content-type"), xml.text]).toEqual([
      "application/xml",
      `<?xml version="1.0" encoding="UTF-8"?><process_status><uuid>${uuid}</uuid><status>SUCCESS</status><result><item><item>&#38;</item></item></result></process_status>`,
    ]);
  });

  it("calls back when it has ended", async () => {
    const callback = encodeURIComponent(`${receiver.url}/done`);
    const good = await submit(`?doc_url=http://docs.example/a&callback_url=${callback}`);
    const gone = await submit(`?doc_url=http://docs.example/a&callback_url=${callback}`);
    const form = new FormData();
    form.set("json", JSON.stringify({ services: [], callback_url: `${receiver.url}/done` }));
    const asked = await fetch(`${server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: form,
    });
    const workflow = at(await asked.json(), "uuid");
    await work(`runs/${(await claim()).run}/complete`, { result: 1 });
    await send("GET", `/stub/cancel?uuid=${gone}`);
    const step = await claim("workflow_queue");
    await work(`runs/${step.run}/fail`, { message: "broken", retryable: false });
    const bodies = await eventually(() => {
      const found = receiver.received.map(({ body }) => JSON.parse(String(body)));
      return found.length >= 3 ? found : undefined;
    });
    expect(bodies).toHaveLength(3);
    expect(bodies).toContainEqual({ uuid: good, status: "SUCCESS" });
    expect(bodies).toContainEqual({ uuid: gone, status: "REVOKED" });
    expect(bodies).toContainEqual({ uuid: workflow, status: "FAILURE" });
  });
});

describe("tokens", () => {
  const sign = (alg: string, more: { aud?: string; exp?: string | undefined; key?: string } = {}) => {
    const jwt = new SignJWT({ sub: "client" }).setProtectedHeader({ alg }).setAudience(more.aud ?? "vlbTest");
    if (more.exp !== "none") jwt.setExpirationTime(more.exp ?? "1h");
    return jwt.sign(Buffer.from(more.key ?? key, "base64"));
  };

  it("are JWTs, raw in Authorization, of one algorithm", async () => {
    const guarded = await startTestServer({
      ...gateway.env,
      GATEWAY_JWT_KEY: key,
      GATEWAY_JWT_AUDIENCE: "vlbTest",
    });
    try {
      const ask = async (authorization: string | undefined) => {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        const answer = await guarded.call("POST", "/gateway/free/process", { headers });
        return [answer.status, at(answer.json, "vesta", "code")];
      };
      const good = await sign("HS512");
      expect(await ask(good)).toEqual([200, undefined]);
      expect(await ask(`Bearer ${good}`)).toEqual([200, undefined]);
      expect(await ask(undefined)).toEqual([401, 101]);
      const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${good.split(".")[1]}.`;
      const bad = [
        "nonsense",
        none,
        await sign("HS256"),
        await sign("HS512", { aud: "other" }),
        await sign("HS512", { exp: "none" }),
        await sign("HS512", { exp: "-1h" }),
        await sign("HS512", { key: Buffer.from("o".repeat(64)).toString("base64") }),
      ];
      for (const token of bad) expect(await ask(token)).toEqual([401, 101]);
      const answer = await guarded.call("POST", "/gateway/free/process", {
        headers: { authorization: good },
      });
      const uuid = at(answer.json, "uuid");
      expect((await guarded.call("GET", `/gateway/free/status?uuid=${uuid}`)).status).toBe(200);
      for (const [method, path] of [
        ["GET", `/gateway/free/cancel?uuid=${uuid}`],
        ["POST", "/gateway/free/annotate?doc_url=http://h/x"],
        ["POST", "/gateway/simple_workflow/process"],
        ["POST", "/gateway/temporary_file"],
        ["GET", "/gateway/temporary_upload_path"],
      ] as const) {
        expect([path, (await guarded.call(method, path)).status]).toEqual([path, 401]);
      }
      expect((await guarded.call("GET", "/gateway/free/info")).status).toBe(200);
    } finally {
      await guarded.stop();
    }
  });
});
