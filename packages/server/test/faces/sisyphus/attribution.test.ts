import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeToken, tokensAt } from "../../access/credentials.ts";
import { type Answer, at } from "../../http/call.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer, type TestServer } from "../../setup/test-server.ts";
import { job, type SisyphusClient, sisyphusClient, success } from "./client.ts";

// Whose a job is: polls do not say, and all workers here are at one address. Nothing expires unless a test says so.

const settings = { RUN_BACKGROUND_JOBS: "false", CLIENT_EXPIRY: "3600" };
let server: TestServer;
let sisyphus: SisyphusClient;
let database: pg.Client;
beforeAll(async () => {
  server = await startTestServer(settings);
  sisyphus = sisyphusClient(`${server.url}/sisyphus`);
  database = new pg.Client({ connectionString: server.database });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await server.stop();
});
// None of those that asked in another test is about to poll.
beforeEach(() => database.query("update vconductor.remote_worker set asked_at = null"));

const send: SisyphusClient["send"] = (...request) => sisyphus.send(...request);
const beat: SisyphusClient["beat"] = (...heartbeat) => sisyphus.beat(...heartbeat);
const startup = (worker: string) => beat(worker, { status: "startup", online_at: "None" });
const asks = (worker: string) => send("GET", `/workers/${worker}`);
const polls = (headers = {}) => send("GET", "/queue/poll", undefined, headers);
const as = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:any`).toString("base64")}` });
const done = (id: string) => send("PATCH", `/jobs/${id}/completed`, success);
const idIn = (answer: Answer) => at(answer.json, "job_id");

/** The last run: whose it is, how it came out, and why. */
async function lastRun() {
  const { json } = await server.call("GET", "/runs?queue=sisyphus%2Fdefault&limit=1");
  const run = at(json, "runs", 0);
  return {
    worker: at(run, "worker"),
    outcome: at(run, "outcome"),
    why: at(run, "error", "message"),
  };
}

describe("a job whose worker never got it", () => {
  it("waits again at once when its worker went away before the answer", async () => {
    const id = await sisyphus.add("for one that goes away");
    await database.query("begin");
    await database.query("select from vconductor.sisyphus_job where id = $1 for update", [id]);
    const gone = new AbortController();
    const polling = server
      .fetch("/sisyphus/queue/poll", { signal: gone.signal })
      .then((answer) => answer.status)
      .catch(() => "gone");
    await eventually(async () => {
      const { rowCount } = await database.query(
        "select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))",
      );
      return rowCount;
    });
    gone.abort();
    expect(await polling).toBe("gone");
    // What the server answers after that, it answers when it knows.
    await send("GET", "/status/health");
    await database.query("commit");
    await eventually(async () => (await lastRun()).outcome === "released");
    expect((await lastRun()).why).toBe("its worker went away before it had the job");
    expect(idIn(await polls())).toBe(id);
    await done(id);
  });

  it("waits again when its worker names no job for so long, although it is there", async () => {
    const brisk = await startTestServer({ ...settings, CLIENT_EXPIRY: "1" });
    const client = sisyphusClient(`${brisk.url}/sisyphus`);
    try {
      await client.beat("deaf");
      const id = await client.add("lost on its way");
      expect(idIn(await client.poll("deaf"))).toBe(id);
      const again = await eventually(async () => {
        await client.beat("deaf");
        const answer = await client.send("GET", "/queue/poll");
        return answer.status === 200 ? idIn(answer) : undefined;
      });
      expect(again).toBe(id);
    } finally {
      await brisk.stop();
    }
  });
});

describe("two workers at one address", () => {
  it("that ask at the same moment: a heartbeat that names the job says whose it is", async () => {
    await beat("a");
    await beat("b");
    const id = await sisyphus.add("of a");
    await asks("a");
    await asks("b");
    // It is a's, but it was b that asked last.
    expect(idIn(await polls())).toBe(id);
    expect(await lastRun()).toMatchObject({ worker: "b", outcome: null });
    await startup("b");
    expect((await polls()).status).toBe(404);
    await beat("a", { status: "in_progress", job_id: id });
    expect(await lastRun()).toMatchObject({ worker: "a", outcome: null });
    await startup("b");
    expect((await polls()).status).toBe(404);
    await startup("a");
    expect(await lastRun()).toMatchObject({ outcome: "released", why: "its worker has begun anew" });
    expect(idIn(await polls())).toBe(id);
    await done(id);
  });

  it("get a job each, also if both ask before they poll", async () => {
    await beat("a");
    await beat("b");
    const ids = [await sisyphus.add("one"), await sisyphus.add("two")];
    await asks("a");
    await asks("b");
    const workers = [];
    for (const id of ids) {
      expect(idIn(await polls())).toBe(id);
      workers.push((await lastRun()).worker);
    }
    expect(workers.toSorted()).toEqual(["a", "b"]);
    for (const id of ids) await done(id);
  });

  it("of which one is disabled: the other gets jobs", async () => {
    await beat("on");
    await beat("off");
    await send("PATCH", "/workers/off", { disabled: true });
    const id = await sisyphus.add("for the one that is on");
    await asks("off");
    expect((await polls()).status).toBe(404);
    await asks("on");
    await asks("off");
    expect(idIn(await polls())).toBe(id);
    expect(await lastRun()).toMatchObject({ worker: "on" });
    await done(id);
    await sisyphus.add("for nobody");
    expect((await polls()).status).toBe(404);
    await send("DELETE", "/queue");
    await send("PATCH", "/workers/off", { disabled: false });
  });

  it("of different tenants have nothing to do with each other", async () => {
    // An administrator of one tenant is no worker of the other by the same name.
    const guarded = await startTestServer({ ...settings, ACCESS: "on" });
    const tokens = tokensAt(guarded.database);
    try {
      const a = await makeToken(tokens.store, { tenant: "a", scopes: ["admin"] });
      const b = await makeToken(tokens.store, { tenant: "b" });
      const client = sisyphusClient(`${guarded.url}/sisyphus`);
      const path = "/workers/w";
      const body = { status: "startup", online_at: "None", hostname: "h", version: "1" };
      await client.send("POST", path, body, b.headers);
      const posted = await client.send("POST", "/queue", job("of b"), b.headers);
      expect(idIn(await client.send("GET", "/queue/poll", undefined, b.headers))).toBe(idIn(posted));
      const told = { ...body, status: "in_progress", job_id: idIn(posted) };
      await client.send("POST", path, told, b.headers);
      expect((await client.send("GET", path, undefined, a.headers)).status).toBe(404);
      await client.send("POST", path, told, a.headers);
      await client.send("POST", path, body, a.headers);
      expect((await client.send("GET", "/queue/poll", undefined, b.headers)).status).toBe(404);
      await client.send("POST", path, body, b.headers);
      expect(idIn(await client.send("GET", "/queue/poll", undefined, b.headers))).toBe(idIn(posted));
    } finally {
      await tokens.stop();
      await guarded.stop();
    }
  });
});

describe("a worker that gives its id as the user name", () => {
  it("gets its jobs as that one, whoever else is at its address", async () => {
    await beat("exact");
    await beat("other");
    const id = await sisyphus.add("of exact");
    await asks("other");
    expect(idIn(await polls(as("exact")))).toBe(id);
    expect(await lastRun()).toMatchObject({ worker: "exact" });
    await startup("other");
    expect((await polls()).status).toBe(404);
    expect((await lastRun()).outcome).toBeNull();
    // That is certain, also before a heartbeat names the job.
    await startup("exact");
    expect(await lastRun()).toMatchObject({ worker: "exact", outcome: "released" });
    await send("PATCH", "/workers/exact", { disabled: true });
    await asks("other");
    expect((await polls(as("exact"))).status).toBe(404);
    await send("PATCH", "/workers/exact", { disabled: false });
    expect(idIn(await polls(as("exact")))).toBe(id);
    await done(id);
  });

  it("is taken for who asked if there is none of that name", async () => {
    await beat("usual");
    for (const name of ["nobody", "\u0000"]) {
      const id = await sisyphus.add("of usual");
      await asks("usual");
      expect(idIn(await polls(as(name)))).toBe(id);
      expect(await lastRun()).toMatchObject({ worker: "usual" });
      await done(id);
    }
  });
});

it("several servers know of one another's workers", async () => {
  const second = await startTestServer({ ...settings, VCON_STORAGE_URL: server.database });
  try {
    const there = sisyphusClient(`${second.url}/sisyphus`);
    await beat("roams");
    await send("PATCH", "/workers/roams", { disabled: true });
    const id = await sisyphus.add("of one that roams");
    await asks("roams");
    expect((await there.send("GET", "/queue/poll")).status).toBe(404);
    await send("PATCH", "/workers/roams", { disabled: false });
    await asks("roams");
    expect(idIn(await there.send("GET", "/queue/poll"))).toBe(id);
    expect(await lastRun()).toMatchObject({ worker: "roams" });
    await there.beat("roams", { status: "in_progress", job_id: id });
    await startup("roams");
    expect(idIn(await there.send("GET", "/queue/poll"))).toBe(id);
    await done(id);
  } finally {
    await second.stop();
  }
});
