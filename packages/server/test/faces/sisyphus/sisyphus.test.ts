import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeToken, tokensAt } from "../../access/credentials.ts";
import { type Answer, at, call } from "../../http/call.ts";
import { freePort } from "../../plugins/command.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { job, type SisyphusClient, sisyphusClient, success } from "./client.ts";

// As the client of Sisyphus calls it: at a root of its own, where nothing is between it and the paths.

let server: TestServer;
let url: string;
let sisyphus: SisyphusClient;
beforeAll(async () => {
  url = `http://127.0.0.1:${await freePort()}`;
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", SISYPHUS_URL: url, CLIENT_EXPIRY: "2" });
  sisyphus = sisyphusClient(url);
});
afterAll(() => server.stop());

const send: SisyphusClient["send"] = (...request) => sisyphus.send(...request);
const beat: SisyphusClient["beat"] = (...heartbeat) => sisyphus.beat(...heartbeat);
const add = (title: string) => sisyphus.add(title);
const poll = (worker: string) => sisyphus.poll(worker);
const nothing = (answer: Answer) => [answer.status, answer.text];

describe("the queue", () => {
  it("takes jobs, lists them oldest first, and hands each out once", async () => {
    const text = `{"job_title":"a job","tasks":[{"module":"ffmpeg","data":{"source":"/a b","size":12345678901234567890},"extra":[1.0]}]}`;
    const added = await send("POST", "/queue", text);
    const id = String(at(added.json, "job_id"));
    expect([added.status, id]).toEqual([200, expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)]);
    const second = await add("second");
    const listed = await send("GET", "/queue");
    expect(listed.json).toMatchObject({ entries: 2, attributes: { disabled: false } });
    expect(at(listed.json, "queue")).toMatchObject([
      { job_id: id, added: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00$/) },
      { job_id: second },
    ]);
    const polled = await send("GET", "/queue/poll");
    expect(polled.json).toMatchObject({ job_title: "a job", job_id: id });
    expect(polled.text).toContain('"size":12345678901234567890},"extra":[1.0]');
    expect((await send("GET", `/jobs/${id}`)).text).toBe(polled.text);
    expect((await send("PATCH", `/jobs/${id}/completed`, success)).status).toBe(204);
    expect(nothing(await send("GET", `/jobs/${id}`))).toEqual([404, "null\n"]);
    await send("PATCH", `/jobs/${at((await send("GET", "/queue/poll")).json, "job_id")}/completed`, success);
    expect(nothing(await send("GET", "/queue/poll"))).toEqual([404, "null\n"]);
  });

  it("takes jobs without tasks, and refuses what is none", async () => {
    for (const body of [{ job_title: "x" }, { job_title: "x", tasks: [] }]) {
      const { json } = await send("POST", "/queue", body);
      expect((await send("DELETE", `/jobs/${at(json, "job_id")}`)).status).toBe(204);
    }
    const errors = async (body: unknown) => {
      const answer = await send("POST", "/queue", body);
      return [answer.status, at(answer.json, "message"), Object.keys(Object(at(answer.json, "errors")))];
    };
    const failed = "Input payload validation failed";
    expect(await errors({})).toEqual([400, failed, ["job_title"]]);
    expect(await errors({ job_title: "x", job_id: "mine" })).toEqual([400, failed, [""]]);
    expect(await errors({ job_title: "x", tasks: [{ module: "m", data: null }] })).toEqual([
      400,
      failed,
      ["tasks.0.data"],
    ]);
    expect(await errors({ job_title: 1 })).toEqual([400, failed, ["job_title"]]);
    expect(await errors("{")).toEqual([400, expect.stringContaining("JSON"), []]);
    const form = await call("POST", `${url}/queue`, {
      body: "a=b",
      headers: { "content-type": "text/plain" },
    });
    expect([form.status, Object.keys(Object(form.json))]).toEqual([415, ["message"]]);
  });

  it("has a switch that holds", async () => {
    const id = await add("held");
    expect((await send("PATCH", "/queue", { disabled: true })).json).toEqual({ disabled: true });
    expect((await send("PATCH", "/queue", {})).json).toEqual({ disabled: true });
    expect(at((await send("GET", "/queue")).json, "attributes")).toEqual({ disabled: true });
    expect((await send("GET", "/queue/poll")).status).toBe(404);
    for (const disabled of [1, "yes", null])
      expect((await send("PATCH", "/queue", { disabled })).status).toBe(400);
    expect((await send("PATCH", "/queue", { disabled: false })).json).toEqual({ disabled: false });
    expect(at((await send("GET", "/queue/poll")).json, "job_id")).toBe(id);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });

  it("is emptied of what waits, not of what runs", async () => {
    const running = await add("running");
    await send("GET", "/queue/poll");
    const waiting = await add("waiting");
    expect((await send("DELETE", "/queue")).status).toBe(204);
    expect((await send("GET", `/jobs/${waiting}`)).status).toBe(404);
    expect((await send("GET", `/jobs/${running}`)).status).toBe(200);
    expect((await send("PATCH", `/jobs/${running}/completed`, success)).status).toBe(204);
    expect((await send("GET", "/queue")).json).toMatchObject({ queue: [], entries: 0 });
  });

  it("sends texts that survive the client's unescaping of HTML", async () => {
    const title = 'AT&T &quot;x&quot; &lt;b&gt; &amp;amp; "quoted"';
    const id = await add(title);
    const polled = await send("GET", "/queue/poll");
    expect(polled.text).not.toContain("&");
    expect(at(polled.json, "job_title")).toBe(title);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });
});

describe("a long queue", () => {
  it("is counted, listed as far as 1000, and emptied", async () => {
    const database = new pg.Client({ connectionString: server.database });
    await database.connect();
    const kept = "select from vconductor.sisyphus_job where state = 'queued'";
    try {
      await database.query(`
        with n as (select 'n' || n as id from generate_series(1, 1001) n), added as (
          insert into vconductor.sisyphus_job (id, tenant, document)
          select id, 'default', json_build_object('job_id', id) from n)
        insert into vconductor.job (queue, job_type, payload, unique_key)
        select 'sisyphus/default', 'sisyphus', to_jsonb(id), id from n`);
      const { json } = await send("GET", "/queue");
      expect(at(json, "entries")).toBe(1001);
      expect(at(json, "queue")).toHaveLength(1000);
      expect((await send("DELETE", "/queue")).status).toBe(204);
      expect((await send("GET", "/queue")).json).toMatchObject({ queue: [], entries: 0 });
      expect((await database.query(kept)).rowCount).toBe(0);
    } finally {
      await database.end();
    }
  });
});

describe("a job", () => {
  it("that has ended can be listed, with what its worker said", async () => {
    const good = await add("good");
    const bad = await add("bad");
    await send("GET", "/queue/poll");
    await send("GET", "/queue/poll");
    await send("PATCH", `/jobs/${good}/completed`, success);
    const info = { module: "ffmpeg", message: "no such file", completed: false, log: "x".repeat(100_000) };
    await send("PATCH", `/jobs/${bad}/completed`, { failed: true, info });
    const failed = await send("GET", "/jobs?state=failed&limit=1");
    expect(failed.json).toEqual({
      jobs: [
        expect.objectContaining({
          job_id: bad,
          job_title: "bad",
          failed: true,
          finished: expect.any(String),
          info,
        }),
      ],
    });
    const all = Object(at((await send("GET", "/jobs")).json, "jobs"));
    expect(all.slice(0, 2).map((one: unknown) => at(one, "job_id"))).toEqual([bad, good]);
    const runs = await server.call("GET", `/runs?queue=${encodeURIComponent("sisyphus/default")}&limit=2`);
    expect(Object(at(runs.json, "runs")).map((run: unknown) => at(run, "outcome"))).toEqual([
      "failed",
      "done",
    ]);
  });

  it("ends once, whoever says so again; also one that nobody has polled", async () => {
    const id = await add("unpolled");
    expect((await send("PATCH", `/jobs/${id}/completed`, { failed: true, info: {} })).status).toBe(204);
    expect((await send("PATCH", `/jobs/${id}/completed`, success)).status).toBe(204);
    expect(at((await send("GET", "/jobs")).json, "jobs", 0)).toMatchObject({ job_id: id, failed: true });
    expect((await send("GET", "/queue/poll")).status).toBe(404);
    expect(nothing(await send("PATCH", "/jobs/none/completed", success))).toEqual([404, "null\n"]);
    expect((await send("PATCH", `/jobs/${id}/completed`, { info: [] })).status).toBe(400);
    expect((await send("PATCH", `/jobs/${id}/completed`, { more: 1 })).status).toBe(400);
  });

  it("can be polled, ended and deleted at the same moment: no error, and each ends", async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => sisyphus.add(`busy ${n}`)));
    const answers = await Promise.all([
      ...ids.map(() => send("GET", "/queue/poll")),
      ...ids.flatMap((id, n) => [
        send("PATCH", `/jobs/${id}/completed`, { failed: n % 3 === 0, info: {} }),
        send("PATCH", `/jobs/${id}/completed`, success),
        ...(n % 2 === 0 ? [send("DELETE", `/jobs/${id}`)] : []),
      ]),
    ]);
    expect(answers.map(({ status }) => status).filter((status) => ![200, 204, 404].includes(status))).toEqual(
      [],
    );
    expect((await send("GET", "/queue")).json).toMatchObject({ entries: 0 });
    for (const id of ids) expect((await send("GET", `/jobs/${id}`)).status).toBe(404);
  });

  it("can be deleted, waiting or running", async () => {
    const first = await add("first");
    await send("GET", "/queue/poll");
    const second = await add("second");
    for (const id of [first, second]) {
      expect((await send("DELETE", `/jobs/${id}`)).status).toBe(204);
      expect(nothing(await send("DELETE", `/jobs/${id}`))).toEqual([404, "null\n"]);
    }
    expect((await send("GET", "/queue/poll")).status).toBe(404);
  });

  it("goes back to the queue when its worker is not heard of any more", async () => {
    await beat("silent", { status: "startup", online_at: "None" });
    const id = await add("of the silent");
    expect(at((await poll("silent")).json, "job_id")).toBe(id);
    await beat("silent", { status: "in_progress", job_id: id, task: "ffmpeg", progress: 12.5 });
    const run = await server.call("GET", `/runs?queue=${encodeURIComponent("sisyphus/default")}&active=true`);
    expect(at(run.json, "runs")).toMatchObject([{ worker: "silent", progress: 13 }]);
    const again = await eventually(async () => {
      const answer = await send("GET", "/queue/poll");
      return answer.status === 200 ? answer.json : undefined;
    });
    expect(at(again, "job_id")).toBe(id);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });

  it("stays with a worker that sends heartbeats, and comes back at once when that begins anew", async () => {
    await beat("alive");
    const id = await add("of the living");
    expect(at((await poll("alive")).json, "job_id")).toBe(id);
    const until = Date.now() + 5000;
    while (Date.now() < until) {
      await beat("alive", { status: "in_progress", job_id: id });
      expect((await send("GET", "/queue/poll")).status).toBe(404);
    }
    await beat("alive", { status: "startup", online_at: "None" });
    expect(at((await send("GET", "/queue/poll")).json, "job_id")).toBe(id);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });
});

describe("workers", () => {
  it("are shown with their last heartbeat, while they send any", async () => {
    const status = {
      status: "in_progress",
      online_at: "2026-01-01 00:00:00+00:00",
      hostname: "a host",
      version: "1.5.9",
      task: "ffmpeg",
      job_id: "x",
      job_title: "t",
      progress: 250.5,
      info: { current_frame: 1 },
    };
    expect((await send("POST", "/workers/with:colon", status)).status).toBe(204);
    const shown = { ...status, worker_id: "with:colon", attributes: { disabled: false } };
    expect((await send("GET", "/workers/with:colon")).json).toEqual(shown);
    await beat("zz");
    const all = await send("GET", "/workers");
    expect(at(all.json, "workers", 0)).toEqual(shown);
    expect(at(all.json, "count")).toBe(Object(at(all.json, "workers")).length);
    expect((await send("DELETE", "/workers/zz")).status).toBe(204);
    expect(nothing(await send("DELETE", "/workers/zz"))).toEqual([404, "null\n"]);
    await eventually(async () => (await send("GET", "/workers/with:colon")).status === 404);
    for (const wrong of [{ progress: "1" }, { progress: null }, { info: [] }, { more: 1 }, { status: 1 }]) {
      expect([wrong, (await beat("bad", wrong)).status]).toEqual([wrong, 400]);
    }
  });

  it("have a switch that holds, before they are known and after they are gone", async () => {
    expect((await send("PATCH", "/workers/off", { disabled: true })).json).toEqual({ disabled: true });
    expect((await send("GET", "/workers/off")).status).toBe(404);
    await beat("off");
    expect(at((await send("GET", "/workers/off")).json, "attributes")).toEqual({ disabled: true });
    // Of those that asked before, none may be about to poll.
    await send("GET", "/queue/poll");
    const id = await add("not for the disabled");
    expect((await poll("off")).status).toBe(404);
    await send("DELETE", "/workers/off");
    await beat("off", { status: "startup" });
    expect(at((await send("GET", "/workers/off")).json, "attributes")).toEqual({ disabled: true });
    expect((await send("PATCH", "/workers/off", { disabled: "no" })).status).toBe(400);
    expect((await send("PATCH", "/workers/off", { disabled: false })).json).toEqual({ disabled: false });
    expect(at((await poll("off")).json, "job_id")).toBe(id);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });
});

describe("module data", () => {
  it("is kept whole, under its name", async () => {
    const data = { options: ["-c:v", "libx265 & more"], name: "forced" };
    expect((await send("POST", "/data/ffmpeg/x265", data)).status).toBe(204);
    expect((await send("GET", "/data/ffmpeg/x265")).json).toEqual({ ...data, name: "x265" });
    // Also its numbers.
    const exact = '{"options":[],"size":12345678901234567890, "one":1.0,"deep":[{"name":"its own"}]';
    await send("POST", "/data/ffmpeg/x265", `${exact}}`);
    expect((await send("GET", "/data/ffmpeg/x265")).text).toBe(`${exact},"name":"x265"}\n`);
    await send("POST", "/data/ffmpeg/x265", { options: [] });
    expect((await send("GET", "/data/ffmpeg/x265")).json).toEqual({ options: [], name: "x265" });
    expect((await send("POST", "/data/ffmpeg/x265", [1])).status).toBe(400);
    expect((await send("DELETE", "/data/ffmpeg/x265")).status).toBe(204);
    expect(nothing(await send("DELETE", "/data/ffmpeg/x265"))).toEqual([404, "null\n"]);
    expect(nothing(await send("GET", "/data/ffmpeg/x265"))).toEqual([404, "null\n"]);
  });
});

describe("the rest", () => {
  it("says how it is, and no secret", async () => {
    const config = await send("GET", "/status/config");
    expect(config.json).toEqual({
      backend: { POSTGRES_URI: expect.any(String) },
      version: "1.3.3",
      uptime: expect.stringMatching(/^\d+ (second|minute)s?$/),
    });
    const { password } = new URL(server.database);
    if (password !== "") expect(config.text).not.toContain(password);
    expect((await send("GET", "/status/health")).json).toEqual({ status: "online" });
    const wrong = await send("PUT", "/queue", {});
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, expect.stringContaining("PATCH")]);
    expect((await send("GET", "/none")).status).toBe(404);
  });

  it("answers HEAD as GET, but hands out no job to it", async () => {
    const id = await add("not for HEAD");
    const head = await send("HEAD", "/queue");
    expect([head.status, head.text]).toEqual([200, ""]);
    expect((await send("HEAD", "/workers/none")).status).toBe(404);
    expect((await send("HEAD", "/queue/poll")).status).toBe(405);
    expect(at((await send("GET", "/queue/poll")).json, "job_id")).toBe(id);
    await send("PATCH", `/jobs/${id}/completed`, success);
  });

  it("describes itself, and leads to the documentation", async () => {
    const { json } = await send("GET", "/swagger.json");
    expect(json).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/" }] });
    const routes = Object.entries(Object(at(json, "paths"))).map(([path, item]) => [
      path,
      Object.keys(Object(item)).join(" "),
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      "/queue": "get post patch delete",
      "/queue/poll": "get",
      "/jobs": "get",
      "/jobs/{job_id}": "get delete",
      "/jobs/{job_id}/completed": "patch",
      "/workers": "get",
      "/workers/{id}": "get post patch delete",
      "/data/{module}/{name}": "get post delete",
      "/status/config": "get",
      "/status/health": "get",
    });
    expect(at(json, "paths", "/workers/{id}", "post")).toEqual({
      summary: "A heartbeat",
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      requestBody: {
        required: true,
        content: { "application/json": { schema: expect.objectContaining({ additionalProperties: false }) } },
      },
    });
    const below = await server.call("GET", "/sisyphus/swagger.json");
    expect(below.json).toEqual({ ...Object(json), servers: [{ url: "/sisyphus" }] });
    const location = (await send("GET", "/doc")).headers.get("location") ?? "";
    expect(location).toBe(`${server.url}/docs`);
    expect((await fetch(location)).status).toBe(200);
    expect((await fetch(`${url}/doc/`)).url).toContain("/docs");
    const own = await server.call("GET", "/sisyphus/doc");
    expect([own.status, own.headers.get("location")]).toEqual([302, "/docs"]);
  });

  it("with access control takes a token, also as the password of a URL", async () => {
    const guarded = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ACCESS: "on" });
    const tokens = tokensAt(guarded.database);
    try {
      const owner = await makeToken(tokens.store, { tenant: "a" });
      const worker = await makeToken(tokens.store, { tenant: "a", scopes: ["job:work"] });
      const stranger = await makeToken(tokens.store, { tenant: "b" });
      const basic = { authorization: `Basic ${Buffer.from(`worker:${worker.text}`).toString("base64")}` };
      expect((await guarded.call("GET", "/sisyphus/queue")).status).toBe(401);
      expect((await guarded.call("GET", "/sisyphus/queue/poll")).status).toBe(401);
      await guarded.call("POST", "/sisyphus/queue", { ...owner, body: job("of a") });
      const body = job("x");
      expect((await guarded.call("POST", "/sisyphus/queue", { headers: basic, body })).status).toBe(403);
      expect((await guarded.call("GET", "/sisyphus/queue/poll", stranger)).status).toBe(404);
      const got = await guarded.call("GET", "/sisyphus/queue/poll", { headers: basic });
      expect(at(got.json, "job_title")).toBe("of a");
      const path = `/sisyphus/jobs/${at(got.json, "job_id")}`;
      expect((await guarded.call("DELETE", path, stranger)).status).toBe(404);
      const done = { headers: basic, body: success };
      expect((await guarded.call("PATCH", `${path}/completed`, { ...stranger, body: success })).status).toBe(
        404,
      );
      expect((await guarded.call("PATCH", `${path}/completed`, done)).status).toBe(204);
      expect(at((await guarded.call("GET", "/sisyphus/jobs", owner)).json, "jobs")).toHaveLength(1);
      expect(at((await guarded.call("GET", "/sisyphus/jobs", stranger)).json, "jobs")).toHaveLength(0);
    } finally {
      await tokens.stop();
      await guarded.stop();
    }
  });
});
