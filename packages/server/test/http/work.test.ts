import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../../src/database/database.ts";
import { makeToken, tokensAt } from "../access/credentials.ts";
import { mediaDirectory } from "../media/directory.ts";
import { createDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer } from "../setup/test-server.ts";
import { at, type CallOptions } from "./call.ts";

const media = await mediaDirectory();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ...media.env });
});
afterAll(() => server.stop());

let made = 0;
/** A queue for remote workers. */
async function makeQueue(): Promise<string> {
  const name = `remote-${++made}`;
  expect((await server.call("POST", `/queue/${name}?kind=remote`)).status).toBe(204);
  return name;
}

const add = (queue: string, payload: unknown) =>
  server.call("PUT", `/queue/${queue}`, { body: { job_type: "work", payload } });
const post = (path: string, body: unknown = {}, options: CallOptions = {}) =>
  server.call("POST", `/work/${path}`, { body, ...options });
const claim = (queue: string, more: object = {}, options: CallOptions = {}) =>
  post(`${queue}/claim`, { worker: "w", ...more }, options);

async function claimOne(queue: string, more: object = {}): Promise<number> {
  const answer = await claim(queue, more);
  return Number(at(answer.json, "jobs", 0, "run_id"));
}

describe("POST /work/{queue}/claim", () => {
  it("hands out jobs with their payload, oldest first", async () => {
    const queue = await makeQueue();
    await add(queue, { n: 1 });
    await server.call("PUT", `/queue/${queue}`, { body: { vcon_uuid: ["u"] } });
    await add(queue, { n: 3 });
    const first = await claim(queue, { count: 2 });
    expect(first.json).toEqual({
      drain: false,
      jobs: [
        {
          run_id: expect.any(Number),
          job_id: expect.any(Number),
          queue,
          job_type: "work",
          vcon_uuid: [],
          payload: { n: 1 },
          attempt: 1,
          lease_until: expect.stringMatching(/Z$/),
          queued_at: expect.stringMatching(/Z$/),
        },
        expect.objectContaining({ job_type: "vcon_uuid", vcon_uuid: ["u"], payload: null }),
      ],
    });
    expect((await claim(queue, { count: 2 })).json).toMatchObject({ jobs: [{ payload: { n: 3 } }] });
    expect((await claim(queue)).json).toEqual({ jobs: [], drain: false });
  });

  it("waits for a job, and has it at once when it comes", async () => {
    const queue = await makeQueue();
    const waiting = [1, 2, 3].map((n) => claim(queue, { worker: `w${n}`, wait: 50 }));
    await eventually(async () => {
      const { json } = await server.call("GET", "/workers");
      return ["w1", "w2", "w3"].every((id) => JSON.stringify(json).includes(`"${id}"`));
    });
    for (const n of [1, 2, 3]) await add(queue, n);
    const payloads = (await Promise.all(waiting)).map((answer) => at(answer.json, "jobs", 0, "payload"));
    expect(payloads.toSorted()).toEqual([1, 2, 3]);
    expect((await claim(queue, { wait: 0.05 })).json).toEqual({ jobs: [], drain: false });
  });

  it("gives back what was claimed for one that went away while it waited", async () => {
    const queue = await makeQueue();
    const gone = new AbortController();
    const waiting = server
      .fetch(`/work/${queue}/claim`, {
        method: "POST",
        body: JSON.stringify({ worker: "gone", wait: 60 }),
        headers: { "content-type": "application/json" },
        signal: gone.signal,
      })
      .catch(() => "gone");
    await eventually(async () => (await server.call("GET", "/workers/gone")).status === 200);
    gone.abort();
    expect(await waiting).toBe("gone");
    await add(queue, "for the other");
    expect((await claim(queue, { wait: 30 })).json).toMatchObject({ jobs: [{ payload: "for the other" }] });
  });

  it("refuses queues of pipelines, queues that are missing, and claims that make no sense", async () => {
    const queue = await makeQueue();
    await server.call("POST", "/queue/of-a-pipeline");
    const wrong = await claim("of-a-pipeline");
    expect([wrong.status, at(wrong.json, "detail")]).toEqual([
      422,
      "queue: of-a-pipeline is for pipeline workers; one for remote workers is made with POST /queue/NAME?kind=remote",
    ]);
    expect((await claim("none")).status).toBe(404);
    for (const more of [
      { worker: "" },
      { count: 0 },
      { count: 101 },
      { wait: 61 },
      { lease: 0 },
      { info: [] },
    ])
      expect([more, (await claim(queue, more)).status]).toEqual([more, 422]);
  });

  it("goes by the token: its tenant's jobs, of its queues", async () => {
    const guarded = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ACCESS: "on" });
    const tokens = tokensAt(guarded.database);
    try {
      const owner = await makeToken(tokens.store);
      const worker = await makeToken(tokens.store, { scopes: ["job:work"], queues: ["yes"] });
      const stranger = await makeToken(tokens.store, { tenant: "b", scopes: ["job:work"] });
      for (const queue of ["yes", "no"]) {
        await guarded.call("POST", `/queue/${queue}?kind=remote`, owner);
        await guarded.call("PUT", `/queue/${queue}`, { ...owner, body: { payload: queue } });
      }
      const body = { worker: "w" };
      const refused = await guarded.call("POST", "/work/no/claim", { ...worker, body });
      expect([refused.status, at(refused.json, "detail")]).toEqual([
        403,
        "test may not work on the queue no",
      ]);
      expect((await guarded.call("POST", "/work/yes/claim", { ...stranger, body })).status).toBe(404);
      const got = await guarded.call("POST", "/work/yes/claim", { ...worker, body });
      expect(at(got.json, "jobs", 0, "payload")).toBe("yes");
      const run = at(got.json, "jobs", 0, "run_id");
      const complete = (queue: string) =>
        guarded.call("POST", `/work/runs/${run}/complete`, { ...worker, body: { queue_jobs: [{ queue }] } });
      const elsewhere = await complete("no");
      expect([elsewhere.status, at(elsewhere.json, "detail")]).toEqual([
        403,
        "test may not add to the queue no",
      ]);
      const taken = await guarded.call("POST", `/work/runs/${run}/complete`, { ...stranger, body: {} });
      expect(taken.status).toBe(404);
      expect((await complete("yes")).status).toBe(200);
      const queuing = await makeToken(tokens.store, { scopes: ["process:run"], queues: ["yes"] });
      for (const [queue, status] of [
        ["no", 403],
        ["yes", 200],
      ] as const) {
        const answer = await guarded.call("PUT", `/queue/${queue}`, { ...queuing, body: { payload: 1 } });
        expect([queue, answer.status]).toEqual([queue, status]);
      }
    } finally {
      await tokens.stop();
      await guarded.stop();
    }
  });
});

describe("a claimed job", () => {
  it("is kept by heartbeats, which show how far it is", async () => {
    const queue = await makeQueue();
    await add(queue, 1);
    const run = await claimOne(queue, { lease: 5 });
    const beat = await post(`runs/${run}/heartbeat`, { lease: 600, progress: 30, message: "a third" });
    expect(beat.json).toEqual({ lease_until: expect.any(String), cancelled: false, drain: false });
    const shown = await server.call("GET", `/runs/${run}`);
    expect(shown.json).toMatchObject({
      progress: 30,
      message: "a third",
      lease_until: at(beat.json, "lease_until"),
    });
    expect((await post("runs/999999/heartbeat")).status).toBe(404);
    expect((await post(`runs/${run}/heartbeat`, { progress: 101 })).status).toBe(422);
  });

  it("goes back to its queue when no heartbeat comes; who had it is refused then", async () => {
    const queue = await makeQueue();
    await add(queue, "slow");
    const run = await claimOne(queue, { lease: 1 });
    const again = await claim(queue, { worker: "other", wait: 60 });
    expect(again.json).toMatchObject({ jobs: [{ payload: "slow", attempt: 1 }] });
    for (const [path, body] of [
      ["heartbeat", {}],
      ["complete", {}],
      ["fail", { message: "m" }],
      ["release", { reason: "r" }],
    ] as const) {
      const late = await post(`runs/${run}/${path}`, body);
      expect([path, late.status, at(late.json, "code")]).toEqual([path, 409, "run_not_active"]);
    }
    const shown = await server.call("GET", `/runs/${run}`);
    expect(shown.json).toMatchObject({
      outcome: "crashed",
      error: { code: "lease_expired", message: expect.stringContaining("no heartbeat came") },
    });
  });

  it("stays with its worker when the server was away for longer than its lease", async () => {
    const database = await createDatabase();
    const env = { RUN_BACKGROUND_JOBS: "false", VCON_STORAGE_URL: database.url };
    const before = await startTestServer(env);
    const claimed: number[] = [];
    try {
      await before.call("POST", "/queue/q?kind=remote");
      for (const payload of ["living", "dead"]) {
        await before.call("PUT", "/queue/q", { body: { payload } });
        const { json } = await before.call("POST", "/work/q/claim", { body: { worker: "w", lease: 3600 } });
        claimed.push(Number(at(json, "jobs", 0, "run_id")));
      }
    } finally {
      await before.stop();
    }
    const [living, dead] = claimed;
    const client = new Database({ url: database.url, poolSize: 1 });
    await client.run((db) =>
      sql`update vconductor.run set lease_until = now() - interval '1 s',
        lease_ms = case when id = ${dead} then 1 else lease_ms end`.execute(db),
    );
    await client.stop();
    const after = await startTestServer(env);
    try {
      // The one with a short lease has had its time; whoever looked at it looked at the other as well.
      await eventually(
        async () => at((await after.call("GET", `/runs/${dead}`)).json, "outcome") === "crashed",
      );
      expect((await after.call("POST", `/work/runs/${living}/heartbeat`, { body: {} })).status).toBe(200);
    } finally {
      await after.stop();
      await database.drop();
    }
  });

  it("ends once, with its result and the jobs that it queues", async () => {
    const [queue, next] = [await makeQueue(), await makeQueue()];
    await add(queue, 1);
    const run = await claimOne(queue);
    const missing = await post(`runs/${run}/complete`, { queue_jobs: [{ queue: next }, { queue: "none" }] });
    expect([missing.status, at(missing.json, "code")]).toEqual([404, "queue_not_found"]);
    await server.call("POST", "/queue/for-pipelines");
    for (const job of [{}, { job_type: "work" }, { vcon_uuid: ["u"], payload: 1 }]) {
      const wrong = await post(`runs/${run}/complete`, { queue_jobs: [{ queue: "for-pipelines", ...job }] });
      expect([wrong.status, at(wrong.json, "code")]).toEqual([422, "invalid_job"]);
    }
    const body = { result: { text: "ø" }, queue_jobs: [{ queue: next, payload: [1], priority: 5 }] };
    for (const _ of [1, 2]) {
      const done = await post(`runs/${run}/complete`, body);
      expect([done.status, done.json]).toEqual([200, { outcome: "done" }]);
    }
    expect((await server.call("GET", `/runs/${run}/result`)).json).toEqual({ text: "ø" });
    expect((await server.call("GET", `/queue/${next}`)).json).toMatchObject([{ payload: [1], priority: 5 }]);
    expect((await server.call("GET", "/runs/999999/result")).status).toBe(404);
  });

  it.each([
    ["large", { text: "x".repeat(100_000) }],
    ["not storable in the database", { text: "a\u0000b" }],
    ["like a pointer", { $kept: { url: "http://example.org/" } }],
    ["nothing", null],
  ])("keeps a result that is %s", async (_, result) => {
    const queue = await makeQueue();
    await add(queue, 1);
    const run = await claimOne(queue);
    expect((await post(`runs/${run}/complete`, { result })).status).toBe(200);
    expect((await server.call("GET", `/runs/${run}/result`)).json).toEqual(result);
    expect((await server.call("GET", `/runs/${run}`)).text.length).toBeLessThan(5000);
  });

  it.each([
    ["large", { text: "x".repeat(100_000) }],
    ["not storable in the database", { text: "a\u0000b" }],
    ["like a pointer", { $kept: { name: "../../secret", content_hash: "sha512-x", size: 1 } }],
  ])("gets a payload that is %s, of whoever queued it", async (_, payload) => {
    const [queue, next] = [await makeQueue(), await makeQueue()];
    await add(queue, payload);
    const taken = at((await claim(queue)).json, "jobs", 0);
    expect(at(taken, "payload")).toEqual(payload);
    const followUp = { queue_jobs: [{ queue: next, payload }] };
    expect((await post(`runs/${at(taken, "run_id")}/complete`, followUp)).status).toBe(200);
    expect((await server.call("GET", `/queue/${next}`)).text.length).toBeLessThan(500);
    expect((await claim(next)).json).toMatchObject({ jobs: [{ payload }] });
  });

  it("whose payload is lost fails with that reason, and its neighbours are handed out", async () => {
    const queue = await makeQueue();
    for (const payload of ["before", { text: "x".repeat(100_000) }, "after"]) await add(queue, payload);
    const [, lost] = (await server.call("GET", `/queue/${queue}`)).json as { payload: object }[];
    const name = String(at(lost?.payload, "$kept", "name"));
    await rm(join(media.directory, name.slice(0, 2), name.slice(2, 4), name));
    expect((await claim(queue, { count: 3 })).json).toMatchObject({
      jobs: [{ payload: "before" }, { payload: "after" }],
    });
    expect((await server.call("GET", `/queue/${queue}/failed`)).json).toMatchObject({
      jobs: [{ error: { code: "payload_lost", message: expect.stringContaining(name) } }],
    });
  });

  it("whose payload cannot be read at the moment goes back, and the claim says why", async () => {
    const queue = await makeQueue();
    await add(queue, { text: "x".repeat(100_000) });
    const [waiting] = (await server.call("GET", `/queue/${queue}`)).json as { payload: object }[];
    const name = String(at(waiting?.payload, "$kept", "name"));
    const path = join(media.directory, name.slice(0, 2), name.slice(2, 4), name);
    const whole = await readFile(path);
    await writeFile(path, "half of");
    expect(await claim(queue)).toMatchObject({ status: 502, json: { code: "provider_failed" } });
    await writeFile(path, whole);
    expect((await claim(queue)).json).toMatchObject({
      jobs: [{ attempt: 1, payload: JSON.parse(String(whole)) }],
    });
  });

  it("that failed is tried again as its queue says", async () => {
    const queue = await makeQueue();
    const settings = { retry_limit: 1, retry_delay: 0, retry_backoff: false };
    expect((await server.call("PATCH", `/queue/${queue}`, { body: settings })).status).toBe(204);
    await add(queue, "a");
    const first = await claimOne(queue);
    expect((await post(`runs/${first}/fail`, { message: "no luck" })).json).toEqual({ outcome: "retry" });
    const second = await claim(queue, { wait: 60 });
    expect(second.json).toMatchObject({ jobs: [{ attempt: 2 }] });
    const failed = await post(`runs/${at(second.json, "jobs", 0, "run_id")}/fail`, {
      message: "still no luck",
      code: "no_luck",
    });
    expect(failed.json).toEqual({ outcome: "failed" });
    const list = await server.call("GET", `/queue/${queue}/failed`);
    expect(list.json).toMatchObject({ jobs: [{ error: { code: "no_luck", message: "still no luck" } }] });
  });

  it("can be handed back, and cancelled", async () => {
    const queue = await makeQueue();
    await add(queue, "a");
    const first = await claimOne(queue);
    expect((await post(`runs/${first}/release`, { reason: "I stop" })).json).toEqual({ outcome: "released" });
    const second = await claimOne(queue);
    expect((await server.call("POST", `/runs/${second}/cancel`)).status).toBe(202);
    expect((await post(`runs/${second}/heartbeat`)).json).toMatchObject({ cancelled: true });
    expect((await post(`runs/${second}/fail`, { message: "stopped" })).json).toEqual({
      outcome: "cancelled",
    });
    expect((await claim(queue)).json).toMatchObject({ jobs: [] });
  });
});

describe("/workers", () => {
  it("shows who works, on what, and what it says of itself", async () => {
    const queue = await makeQueue();
    await add(queue, 1);
    const run = await claimOne(queue, { worker: "shown", info: { version: "1.2" } });
    const worker = {
      id: "shown",
      disabled: false,
      info: { version: "1.2" },
      tenant: "default",
      first_seen: expect.any(String),
      last_seen: expect.any(String),
      runs: [expect.objectContaining({ run_id: run, queue })],
    };
    expect((await server.call("GET", "/workers/shown")).json).toEqual(worker);
    const { json } = await server.call("GET", "/workers");
    expect(at(json, "workers")).toContainEqual(worker);
    expect((await server.call("GET", "/workers/none")).status).toBe(404);
  });

  it("disables one: it is told, and gets nothing until it is enabled", async () => {
    const queue = await makeQueue();
    for (const n of [1, 2]) await add(queue, n);
    const run = await claimOne(queue, { worker: "switched" });
    const patch = (disabled: unknown) => server.call("PATCH", "/workers/switched", { body: { disabled } });
    expect((await patch(true)).json).toMatchObject({ id: "switched", disabled: true });
    expect((await post(`runs/${run}/heartbeat`)).json).toMatchObject({ drain: true });
    expect((await claim(queue, { worker: "switched" })).json).toEqual({ jobs: [], drain: true });
    expect((await post(`runs/${run}/complete`)).status).toBe(200);
    expect((await patch("maybe")).status).toBe(422);
    expect((await patch(false)).status).toBe(200);
    expect((await claim(queue, { worker: "switched" })).json).toMatchObject({ jobs: [{ payload: 2 }] });
    expect((await server.call("DELETE", "/workers/switched")).status).toBe(204);
    expect((await server.call("GET", "/workers/switched")).status).toBe(404);
    expect((await server.call("PATCH", "/workers/switched", { body: { disabled: true } })).status).toBe(404);
  });
});

describe("a worker", () => {
  it("that was forgotten is listed again when it asks for jobs", async () => {
    const queue = await makeQueue();
    await claim(queue, { worker: "forgotten" });
    expect((await server.call("DELETE", "/workers/forgotten")).status).toBe(204);
    const none = await claim(queue, { worker: "forgotten" });
    expect([none.status, none.json]).toEqual([200, { jobs: [], drain: false }]);
    expect((await server.call("GET", "/workers/forgotten")).status).toBe(200);
  });

  it("at work is last heard of when a heartbeat of its job comes, and listed by that", async () => {
    const queue = await makeQueue();
    await add(queue, 1);
    const run = await claimOne(queue, { worker: "busy" });
    await claim(queue, { worker: "idle" });
    const { json } = await post(`runs/${run}/heartbeat`);
    expect(json).toMatchObject({ cancelled: false });
    const heartbeat = at((await server.call("GET", `/runs/${run}`)).json, "heartbeat_at");
    expect((await server.call("GET", "/workers/busy")).json).toMatchObject({ last_seen: heartbeat });
    const list = Object(at((await server.call("GET", "/workers")).json, "workers"));
    expect([at(list, 0), at(list, 1)]).toMatchObject([{ id: "busy", last_seen: heartbeat }, { id: "idle" }]);
  });
});

describe("queues for remote workers", () => {
  it("are listed apart, and take any kind of job", async () => {
    const queue = await makeQueue();
    expect((await server.call("GET", "/queues?kind=remote")).json).toContain(queue);
    expect((await server.call("GET", "/queues")).json).not.toContain(queue);
    expect((await server.call("POST", `/queue/${queue}`)).status).toBe(422);
    expect((await add(queue, { deep: [null] })).json).toBe(1);
    expect((await server.call("PUT", `/queue/${queue}`, { body: { job_type: "" } })).status).toBe(422);
    await server.call("POST", "/queue/plain");
    const wrong = await server.call("PUT", "/queue/plain", { body: { vcon_uuid: ["u"], payload: 1 } });
    expect([wrong.status, at(wrong.json, "detail")]).toEqual([
      422,
      "payload is for queues of remote workers (kind=remote)",
    ]);
    const settings = await server.call("PATCH", "/queue/plain", { body: { retry_limit: 1 } });
    expect([settings.status, at(settings.json, "detail")]).toEqual([
      422,
      "queue: plain is for a pipeline, whose options say how jobs are tried again",
    ]);
  });
});
