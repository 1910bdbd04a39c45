import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webhookReceiver } from "../../doubles/webhook-receiver.ts";
import { type Answer, at, call } from "../../http/call.ts";
import { mediaDirectory } from "../../media/directory.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";

const key = Buffer.from("k".repeat(64)).toString("base64");

const services = {
  CELERY_PROJ_NAME: "worker",
  GET_STORAGE_DOC_REQ_URL: "http://storage.example/get/{storage_doc_id}",
  POST_STORAGE_DOC_REQ_URL: "http://storage.example/add",
  POST_ANNOTATIONS_REQ_URL: "http://annotations.example/{document_id}/annotations",
  LOCAL_TEMPORARY_STORAGE: { size_limit_gb: 1 },
  WORKER_SERVICES: {
    stub: {
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
    },
    free: { celery_queue_name: "free_queue", celery_task_name: "free", noparams: true },
    simple_workflow: { celery_queue_name: "workflow_queue", celery_task_name: "workflow" },
  },
};

let directory: string;
let env: Readonly<Record<string, string>>;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
let server: TestServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-gateway-test-"));
  await writeFile(join(directory, "gateway.json"), JSON.stringify(services));
  receiver = await webhookReceiver();
  env = {
    RUN_BACKGROUND_JOBS: "false",
    GATEWAY_CONFIG: join(directory, "gateway.json"),
    GATEWAY_TEMPORARY_STORAGE: join(directory, "files"),
    FETCH_ALLOW: new URL(receiver.url).host,
    ...(await mediaDirectory()).env,
  };
  server = await startTestServer(env);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const send = (method: string, path: string, options: Parameters<typeof call>[2] = {}) =>
  call(method, `${server.url}/gateway${path}`, options);
const idOf = (answer: Answer) => {
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("uuid")]);
  return String(at(answer.json, "uuid"));
};
const submit = async (query = "?doc_url=http://docs.example/a.wav") =>
  idOf(await send("POST", `/stub/process${query}`));
const status = async (uuid: string, service = "stub") =>
  (await send("GET", `/${service}/status?uuid=${uuid}`)).json;
const problem = (answer: Answer) => [answer.status, at(answer.json, "vesta", "code")];

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

describe("temporary files", () => {
  const upload = async (path: string, files: readonly string[]) => {
    const form = new FormData();
    for (const [index, content] of files.entries())
      form.set(`f${index}`, new Blob([content]), `name ${index}.WAV`);
    return await fetch(`${server.url}/gateway${path}`, { method: "POST", body: form });
  };

  it("are kept under a name of their own, or one that is given", async () => {
    const made = await upload("/temporary_file", ["one"]);
    const url = await made.text();
    expect([made.status, url]).toEqual([
      201,
      expect.stringMatching(/\/gateway\/temporary_file\/[0-9a-f-]{36}\.WAV$/),
    ]);
    expect(await (await fetch(url)).text()).toBe("one");
    const named = encodeURIComponent("../../etc/passwd");
    const first = await upload(`/temporary_file/${named}`, ["first"]);
    await upload(`/temporary_file/${named}`, ["second"]);
    const got = await fetch(await first.text());
    expect([await got.text(), got.headers.get("content-disposition")]).toEqual(["second", "attachment"]);
    const path = await send("GET", "/temporary_upload_path?extension=../wav");
    expect([path.status, path.text]).toEqual([201, expect.stringMatching(/[0-9a-f-]{36}\.wav$/)]);
    expect((await fetch(path.text)).status).toBe(404);
    expect((await upload("/temporary_file", [])).status).toBe(400);
    expect((await upload("/temporary_file", ["a", "b"])).status).toBe(400);
  });

  it("go with a workflow, whose worker gets their addresses", async () => {
    const form = new FormData();
    const steps = { services: [{ service_name: "stub", url: "audio", dest: { audio: "s__1.wav__e" } }] };
    form.set("json", JSON.stringify(steps));
    form.set("audio", new Blob(["sound"]), "a.wav");
    const posted = await fetch(`${server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: form,
    });
    expect(posted.status).toBe(200);
    const { job } = await claim("workflow_queue");
    const misc = at(job, "payload", "service", "misc");
    expect(misc).toMatchObject({
      services: [{ service_name: "stub", dest: { audio: "s__1.wav__e" } }],
      stateful: false,
      sg_url: `${server.url}/gateway`,
    });
    expect(await (await fetch(String(at(misc, "services", 0, "url")))).text()).toBe("sound");
    const empty = await fetch(`${server.url}/gateway/simple_workflow/process`, {
      method: "POST",
      body: new FormData(),
    });
    expect(empty.status).toBe(422);
  });
});

describe("information", () => {
  const json = { headers: { accept: "application/json" } };

  it("of all services, without what is nobody's business", async () => {
    const info = await send("GET", "/info");
    expect(info.json).toMatchObject({ version: "1.9.3", services: { stub: { version: "0.4.1" }, free: {} } });
    expect(info.text).not.toContain("hidden");
  });

  it("of one, as JSON or as a page", async () => {
    for (const path of ["/stub/info", "/stub/service/info"]) {
      const info = await send("GET", path, json);
      expect(info.json).toMatchObject({ version: "1.9.3_0.4.1", name: "A <stub>", tags: ["speech", "test"] });
      expect(at(info.json, "activeWorkers")).toBeLessThanOrEqual(2);
    }
    const page = await send("GET", "/stub/info");
    expect([page.headers.get("content-type"), page.text]).toEqual([
      "text/html; charset=utf-8",
      expect.stringContaining("A &lt;stub&gt;"),
    ]);
    const stats = await send("GET", "/stub/stats", json);
    expect(stats.json).toEqual({ lastReset: expect.stringMatching(/Z$/), invocations: expect.any(Number) });
    expect(at(stats.json, "invocations")).toBeGreaterThan(5);
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
    const uuid = await submit();
    const accepts = ["application/json;q=0.5, application/xml", "text/html", browser, "*/*"];
    expect(await types(`/stub/status?uuid=${uuid}`, accepts)).toEqual(["xml", "json", "json", "json"]);
    await send("GET", `/stub/cancel?uuid=${uuid}`);
  });
});

describe("tokens", () => {
  const sign = (alg: string, more: { aud?: string; exp?: string | undefined; key?: string } = {}) => {
    const jwt = new SignJWT({ sub: "client" }).setProtectedHeader({ alg }).setAudience(more.aud ?? "vlbTest");
    if (more.exp !== "none") jwt.setExpirationTime(more.exp ?? "1h");
    return jwt.sign(Buffer.from(more.key ?? key, "base64"));
  };

  it("are JWTs, raw in Authorization, of one algorithm", async () => {
    const guarded = await startTestServer({ ...env, GATEWAY_JWT_KEY: key, GATEWAY_JWT_AUDIENCE: "vlbTest" });
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
