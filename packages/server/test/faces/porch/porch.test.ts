import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresLedger } from "../../../src/ledger/postgres-ledger.ts";
import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { openStores } from "../../../src/stores.ts";
import { at } from "../../http/call.ts";
import { startApi, type TestApi } from "../../http/start-api.ts";
import { eventually } from "../../setup/eventually.ts";
import { startTestServer } from "../../setup/test-server.ts";
import { makePipeline, Porch, pathOf } from "./porch.ts";

let api: TestApi;
let admin: Porch;
let nobody: Porch;
beforeAll(async () => {
  api = await startApi();
  nobody = new Porch(`${api.url}/porch`);
  admin = nobody.as(await api.ledger.addToken({ pipeline: undefined, description: "first" }));
});
afterAll(() => api.stop());

const detail = (answer: { readonly json: unknown }) => at(answer.json, "detail");

describe("pipelines", () => {
  it("are added by administrators, and found by everybody", async () => {
    const pipeline = { name: "a pipeline", uri: "http://a", version: "1" };
    const added = await admin.call("POST", "/pipelines/", pipeline);
    expect([added.status, added.text]).toEqual([201, JSON.stringify(pipeline)]);
    for (const path of [
      "/pipelines/",
      "/pipelines",
      "/pipelines/?uri=http://a&version=1",
      "/pipelines?uri=&version=",
    ])
      expect([path, (await nobody.call("GET", path)).json]).toEqual([
        path,
        expect.arrayContaining([pipeline]),
      ]);
    expect((await nobody.call("GET", "/pipelines?version=2")).json).toEqual([]);
    expect((await nobody.call("GET", "/pipelines/a%20pipeline")).json).toEqual(pipeline);
    const missing = await nobody.call("GET", "/pipelines/none");
    expect([missing.status, missing.text]).toEqual([404, `{"detail":"Pipeline 'none' not found"}`]);
  });

  it("are told from others by their name alone", async () => {
    const { pipeline } = await makePipeline(admin);
    const again = await admin.call("POST", "/pipelines", { ...pipeline, version: "2" });
    expect([again.status, again.json]).toEqual([409, { detail: "Pipeline already exists" }]);
    expect((await admin.call("POST", "/pipelines/", { name: "", uri: "", version: "" })).status).toBe(201);
  });

  it("need name, uri and version", async () => {
    for (const body of [{}, { name: "x" }, { name: "x", uri: "u" }, { name: "x", uri: null, version: "1" }]) {
      const refused = await admin.call("POST", "/pipelines/", body);
      expect([refused.status, detail(refused)]).toEqual([
        400,
        "Pipeline must specify a name and URI and version",
      ]);
    }
    for (const body of [
      { name: null },
      { name: "x", more: 1 },
      [],
      "{",
      { name: "\u0000", uri: "", version: "" },
    ]) {
      const refused = await admin.call("POST", "/pipelines/", body);
      expect([refused.status, detail(refused)]).toEqual([
        422,
        [expect.objectContaining({ loc: expect.any(Array) })],
      ]);
    }
  });
});

describe("tokens", () => {
  it("are made by administrators only, and for one pipeline", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const made = await admin.call("POST", `/pipelines/${pipeline.name}/token/for%20me`);
    expect([made.status, made.json]).toEqual([
      201,
      { name: pipeline.name, description: "for me", token: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
    const refused = await user.call("POST", `/pipelines/${pipeline.name}/token/mine`);
    expect([refused.status, refused.json]).toEqual([403, { detail: "Forbidden" }]);
    expect((await user.call("POST", "/pipelines/", { name: "x", uri: "", version: "" })).status).toBe(403);
    expect((await admin.call("POST", "/pipelines/none/token/x")).status).toBe(404);
  });

  it("are refused in the words of npg_porch", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const body = { pipeline, task_input: {}, status: "PENDING" };
    const send = async (authorization: string | undefined) => {
      const answer = await api.call("POST", "/porch/tasks/", {
        body,
        headers: authorization === undefined ? {} : { authorization },
      });
      return [answer.status, detail(answer)];
    };
    expect(await send(undefined)).toEqual([403, "Not authenticated"]);
    expect(await send("Bearer ")).toEqual([403, "Not authenticated"]);
    expect(await send("Basic abc")).toEqual([403, "Invalid authentication credentials"]);
    for (const bad of ["x", "0".repeat(32), "g".repeat(32), "A".repeat(32)]) {
      expect(await send(`Bearer ${bad}`)).toEqual([403, "Invalid token"]);
    }
    const wrong = await user.register({ ...pipeline, name: "other" }, {});
    expect([wrong.status, detail(wrong)]).toEqual([
      403,
      "Given credentials cannot be used for pipeline 'other'",
    ]);
    expect(detail(await user.register({}, {}))).toBe("Given credentials cannot be used for pipeline 'None'");
    expect((await admin.register(pipeline, {})).status).toBe(403);
    // What is no JSON is said first, then that there is no token, then what is wrong with the body.
    expect((await nobody.call("POST", "/tasks/", "{")).status).toBe(422);
    expect((await nobody.call("POST", "/tasks/", {})).status).toBe(403);
    expect((await user.call("POST", "/tasks/", {})).status).toBe(422);
  });

  it("are listed and revoked by administrators", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const listed = await admin.call("GET", "/tokens");
    const mine = Object(listed.json).find(({ name }: { name: string }) => name === pipeline.name);
    expect(mine).toEqual({
      id: expect.any(Number),
      description: `worker of ${pipeline.name}`,
      name: pipeline.name,
      issued: expect.stringMatching(/Z$/),
      revoked: null,
    });
    expect((await user.call("GET", "/tokens")).status).toBe(403);
    expect((await user.call("DELETE", `/tokens/${mine.id}`)).status).toBe(403);
    expect((await user.register(pipeline, {})).status).toBe(201);
    expect((await admin.call("DELETE", `/tokens/${mine.id}`)).json).toEqual({ id: mine.id, revoked: true });
    expect(detail(await user.register(pipeline, { n: 1 }))).toBe("Invalid token");
    expect((await admin.call("DELETE", "/tokens/999999")).status).toBe(404);
  });
});

describe("registering", () => {
  it("is done once, whatever the order of the members, and answers with what is there", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const first = await user.call("POST", "/tasks", {
      pipeline: { ...pipeline, version: "ignored" },
      task_input: { b: 1, a: 2.0 },
      status: "DONE",
      unknown: "ignored",
    });
    expect([first.status, first.text]).toEqual([
      201,
      `{"pipeline":${JSON.stringify(pipeline)},"task_input_id":"${inputIdOf('{"a":2,"b":1}')}","task_input":{"b":1,"a":2},"status":"PENDING"}`,
    ]);
    await user.put(pipeline, { a: 2, b: 1 }, "FAILED");
    const again = await user.register(pipeline, { a: 2, b: 1 });
    expect([again.status, at(again.json, "status"), JSON.stringify(at(again.json, "task_input"))]).toEqual([
      200,
      "FAILED",
      '{"b":1,"a":2}',
    ]);
    const other = await makePipeline(admin);
    expect((await other.user.register(other.pipeline, { a: 2, b: 1 })).status).toBe(201);
  });

  it("keeps the input as it is spelled: large numbers, 1.0, order", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const input = '{"2": 123456789012345678901234567890, "1":1.0,"e":"\\u00e9\\u0000"}';
    const body = `{"status":"PENDING","task_input": ${input} ,"pipeline":${JSON.stringify(pipeline)}}`;
    const made = await user.call("POST", "/tasks/", body);
    expect(made.text).toContain(`"task_input":${input},`);
    expect((await user.call("POST", "/tasks/", body.replace("1.0", "1"))).status).toBe(201);
    expect((await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`)).text).toContain(input);
  });

  it("16 at once: one 201 and fifteen 200", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => user.register(pipeline, { round })));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(15).fill(200), 201]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    const tasks = await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`);
    expect(tasks.json).toHaveLength(5);
    expect((await user.claim(pipeline, "?num_tasks=99")).json).toHaveLength(5);
  });

  it("needs an input, and a status", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const body of [
      { pipeline, status: "PENDING" },
      { pipeline, task_input: null, status: "PENDING" },
      { pipeline, task_input: [1], status: "PENDING" },
      { pipeline, task_input: {} },
      { pipeline, task_input: {}, status: "pending" },
      { task_input: {}, status: "PENDING" },
    ]) {
      expect([body, (await user.call("POST", "/tasks/", body)).status]).toEqual([body, 422]);
    }
    expect((await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`)).json).toEqual([]);
  });
});

describe("claiming", () => {
  it("hands out the oldest first, up to as many as wanted, of one pipeline", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const other = await makePipeline(admin);
    await other.user.register(other.pipeline, { of: "other" });
    for (const n of [1, 2, 3]) await user.register(pipeline, { n });
    const one = await user.claim(pipeline);
    expect([one.status, one.json]).toEqual([
      200,
      [
        {
          pipeline,
          task_input_id: expect.stringMatching(/^[0-9a-f]{64}$/),
          task_input: { n: 1 },
          status: "CLAIMED",
        },
      ],
    ]);
    const rest = await user.call("POST", "/tasks/claim/?num_tasks=10", pipeline);
    expect(Object(rest.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([2, 3]);
    expect((await user.claim(pipeline)).json).toEqual([]);
    // One that is PENDING again keeps its age.
    await user.register(pipeline, { n: 4 });
    for (const n of [2, 1]) await user.put(pipeline, { n }, "PENDING");
    await user.put(pipeline, { n: 3 }, "FAILED");
    await user.put(pipeline, { n: 3 }, "PENDING");
    const again = await user.claim(pipeline, "?num_tasks=10");
    expect(Object(again.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([1, 2, 3, 4]);
  });

  it("36 at once: 36 different tasks, and no error", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 36 }, (_, n) => user.register(pipeline, { round, n })));
      const answers = await Promise.all(Array.from({ length: 36 }, () => user.claim(pipeline)));
      expect(answers.map(({ status }) => status)).toEqual(Array(36).fill(200));
      expect(new Set(answers.map(({ json }) => at(json, 0, "task_input", "n"))).size).toBe(36);
    }
  });

  it("refuses what is no number of tasks", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const query of [
      "?num_tasks=0",
      "?num_tasks=-1",
      "?num_tasks=x",
      "?num_tasks=",
      "?num_tasks=1.5",
      "?lease=0",
    ])
      expect([query, (await user.claim(pipeline, query)).status]).toEqual([query, 422]);
    expect((await user.call("POST", "/tasks/claim")).status).toBe(422);
    expect((await admin.claim(pipeline)).status).toBe(403);
  });

  it("while tasks are changed at the same moment: no deadlock, nothing twice", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const count = 40;
    await Promise.all(Array.from({ length: count }, (_, n) => user.register(pipeline, { n })));
    const changes = Array.from({ length: count }, (_, n) =>
      user.put(pipeline, { n }, n % 2 ? "CANCELLED" : "PENDING"),
    );
    const claims = Array.from({ length: 10 }, () => user.claim(pipeline, "?num_tasks=3"));
    const again = Array.from({ length: count }, (_, n) =>
      user.put(pipeline, { n }, n % 3 ? "PENDING" : "RUNNING"),
    );
    const answers = await Promise.all([...changes, ...claims, ...again]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const pending = await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}&status=PENDING`);
    const claimable = await user.claim(pipeline, "?num_tasks=1000");
    expect(Object(claimable.json)).toHaveLength(Object(pending.json).length);
  });
});

describe("changing a task", () => {
  it("takes any status from any other, and says so in its history", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline);
    const path = [
      "RUNNING",
      "DONE",
      "PENDING",
      "CLAIMED",
      "FAILED",
      "FAILED",
      "CANCELLED",
      "RUNNING",
      "PENDING",
      "PENDING",
    ];
    for (const status of path) {
      const changed = await user.put(pipeline, { n: 1 }, status);
      expect([changed.status, at(changed.json, "status")]).toEqual([200, status]);
      const claimable = status === "PENDING" ? 1 : 0;
      const queued = await api.stores.jobs.listWaiting({
        viewer: { tenant: "default", all: true, grantees: [] },
        queue: `porch/${pipeline.name}`,
        offset: 0,
        limit: 9,
      });
      expect([status, queued.length]).toEqual([status, claimable]);
    }
    const events = await nobody.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
    expect(Object(events.json).map((event: unknown) => at(event, "change"))).toEqual([
      "Created",
      "Task claimed",
      ...path.map((status) => `Task changed, new status ${status}`),
    ]);
    expect(at(events.json, 0)).toEqual({
      time: expect.stringMatching(/Z$/),
      change: "Created",
      message: null,
      token: `worker of ${pipeline.name}`,
    });
    // The runs of the engine have ended with it.
    const runs = await api.call("GET", `/runs?queue=${encodeURIComponent(`porch/${pipeline.name}`)}`);
    expect(Object(at(runs.json, "runs")).map((run: unknown) => at(run, "outcome"))).toEqual(["done"]);
  });

  it("keeps a message and the progress", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.put(pipeline, { n: 1 }, "FAILED", { message: "no disk", progress: 30 });
    const task = await nobody.call("GET", pathOf(pipeline, { n: 1 }));
    expect(task.json).toMatchObject({
      task_input: { n: 1 },
      status: "FAILED",
      message: "no disk",
      progress: 30,
    });
    const events = await nobody.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
    expect(at(events.json, 1)).toMatchObject({
      change: "Task changed, new status FAILED",
      message: "no disk",
    });
  });

  it("is 404 for one that is not there", async () => {
    const { pipeline, user } = await makePipeline(admin);
    const missing = await user.put(pipeline, { n: 1 }, "DONE");
    expect([missing.status, missing.json]).toEqual([
      404,
      { detail: "Task to be modified could not be found" },
    ]);
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).status).toBe(404);
    expect((await nobody.call("GET", `/pipelines/${pipeline.name}/tasks/xyz`)).status).toBe(422);
  });
});

describe("leases", () => {
  it("bring a task back whose worker says nothing, and are kept by reports", async () => {
    const server = await startTestServer({ RUN_BACKGROUND_JOBS: "false", ACCESS: "off" });
    try {
      const boss = new Porch(`${server.url}/porch`, await adminTokenOn(server.database));
      const { pipeline, user } = await makePipeline(boss);
      await user.register(pipeline, { n: 1 });
      await user.register(pipeline, { n: 2 });
      expect((await user.claim(pipeline, "?lease=1&num_tasks=2")).json).toHaveLength(2);
      const kept = await user.call("POST", `${pathOf(pipeline, { n: 2 })}/report`, {
        lease: 600,
        progress: 40,
        message: "two fifths",
      });
      expect(kept.json).toMatchObject({ status: "CLAIMED", progress: 40, message: "two fifths" });
      const again = await eventually(async () => {
        const { json } = await user.claim(pipeline);
        return at(json, 0) === undefined ? undefined : json;
      });
      expect(again).toMatchObject([{ task_input: { n: 1 } }]);
      const events = await boss.call("GET", `${pathOf(pipeline, { n: 1 })}/events`);
      expect(Object(events.json).slice(2)).toEqual([
        {
          time: expect.any(String),
          change: "Task changed, new status PENDING",
          message: expect.stringContaining("lease ran out"),
          token: null,
        },
        expect.objectContaining({ change: "Task claimed" }),
      ]);
      await user.put(pipeline, { n: 2 }, "DONE");
      const late = await user.call("POST", `${pathOf(pipeline, { n: 2 })}/report`, { lease: 5 });
      expect([late.status, detail(late)]).toEqual([409, "Nobody has claimed the task"]);
    } finally {
      await server.stop();
    }
  });

  it("are without end unless they are asked for", async () => {
    const { pipeline, user } = await makePipeline(admin);
    await user.register(pipeline, { n: 1 });
    await user.claim(pipeline);
    const recovered = await api.stores.jobs.recover({
      reason: { code: "lease_expired", message: "m" },
      crashLimit: 3,
      failureQueueOf: async () => undefined,
    });
    expect(recovered).toEqual([]);
    await user.call("POST", `${pathOf(pipeline, { n: 1 })}/report`, { progress: 5 });
    expect((await nobody.call("GET", pathOf(pipeline, { n: 1 }))).json).toMatchObject({ progress: 5 });
  });
});

async function adminTokenOn(url: string): Promise<string> {
  const urls = { vcons: url, queues: url, pipelines: url, state: url };
  const stores = openStores({ urls, poolSize: 1, leaseMs: 1000, application: "test" });
  const { queueDatabase: database, jobs, remoteJobs } = stores;
  const ledger = postgresLedger({ database, jobs, remoteJobs, serverKey: "test" });
  const token = await ledger.addToken({ pipeline: undefined, description: "first" });
  await stores.stop();
  return token;
}

describe("lists", () => {
  it("are of all tasks, or of a pipeline, a status, a page", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let n = 0; n < 25; n++) await user.register(pipeline, { n });
    await user.claim(pipeline, "?num_tasks=5");
    const count = async (query: string) => Object((await nobody.call("GET", `/tasks${query}`)).json).length;
    const name = `pipeline_name=${pipeline.name}`;
    expect(await count(`?${name}`)).toBe(25);
    expect(await count(`/?${name}&status=CLAIMED`)).toBe(5);
    expect(await count("?pipeline_name=none")).toBe(0);
    expect(await count("")).toBeGreaterThan(25);
    expect((await nobody.call("GET", "/tasks?status=claimed")).status).toBe(422);
    let path: string | undefined = `/tasks?${name}&limit=10`;
    const pages: number[] = [];
    while (path !== undefined) {
      const page = await nobody.call("GET", path);
      pages.push(Object(page.json).length);
      const next = /^<(\?[^>]*)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      path = next === undefined ? undefined : `/tasks${next}`;
    }
    expect(pages).toEqual([10, 10, 5]);
  });

  it("stream more tasks than a page of the database", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (let n = 0; n < 2100; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, m) => user.register(pipeline, { n: n + m })));
    }
    const all = await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`);
    expect(new Set(Object(all.json).map((task: unknown) => at(task, "task_input", "n"))).size).toBe(2100);
  });

  it("for tables: by state and time, the last changed first", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const n of [1, 2, 3]) await user.register(pipeline, { n });
    await user.put(pipeline, { n: 1 }, "DONE");
    await user.put(pipeline, { n: 2 }, "FAILED");
    const view = (path: string) => nobody.call("GET", `/ui/tasks/${pipeline.name}/${path}`);
    const all = await view("All/0001-01-01T00:00:00?draw=7");
    expect(all.json).toMatchObject({ draw: 7, recordsTotal: 3, recordsFiltered: 3 });
    expect(Object(at(all.json, "data")).map((task: unknown) => at(task, "task_input", "n"))).toEqual([
      2, 1, 3,
    ]);
    expect(at(all.json, "data", 0, "created")).toMatch(/^\d{4}-\d\d-\d\d\u00a0\d\d:\d\d:\d\d$/);
    expect(at((await view("NOT%20DONE/0001-01-01")).json, "recordsTotal")).toBe(2);
    expect(at((await view("DONE/2020-01-01T00:00:00+01:00")).json, "recordsTotal")).toBe(1);
    expect(at((await view("DONE/2999-01-01")).json, "data")).toEqual([]);
    expect(at((await view("All/0001-01-01?start=1&length=1")).json, "data")).toHaveLength(1);
    expect((await view("Nothing/0001-01-01")).status).toBe(422);
    expect((await view("All/yesterday")).status).toBe(422);
    const failed = await nobody.call("GET", "/ui/recently_failed");
    expect(JSON.stringify(failed.json)).toContain(pipeline.name);
  });

  it("of what takes longer than usual", async () => {
    const { pipeline, user } = await makePipeline(admin);
    for (const n of [1, 2, 3, 4]) await user.register(pipeline, { n });
    for (const n of [1, 2]) await user.put(pipeline, { n }, "DONE");
    // Two took 10 and 20 minutes: the mean and twice the standard deviation is half an hour, nearly.
    for (const [n, minutes] of [10, 20, 60, 5].entries()) {
      await api.stores.queueDatabase.run((db) =>
        db
          .updateTable("vconductor.task")
          .set({ created_at: new Date(Date.now() - minutes * 60_000) })
          .where("input", "=", JSON.stringify({ n: n + 1 }))
          .execute(),
      );
    }
    const long = await nobody.call("GET", "/ui/long_running");
    const mine = Object(at(long.json, "data")).filter(
      (task: unknown) => at(task, "pipeline", "name") === pipeline.name,
    );
    expect(mine).toMatchObject([{ task_input: { n: 3 }, status: "PENDING" }]);
  });
});

describe("everything else", () => {
  it("is answered as by npg_porch", async () => {
    const unknown = await nobody.call("GET", "/nothing");
    expect([unknown.status, unknown.text]).toEqual([404, '{"detail":"Not Found"}']);
    const wrong = await nobody.call("DELETE", "/tasks");
    expect([wrong.status, wrong.text, wrong.headers.get("allow")]).toEqual([
      405,
      '{"detail":"Method Not Allowed"}',
      expect.stringContaining("PUT"),
    ]);
  });

  it("has the document in which its client looks up the states", async () => {
    const { json } = await nobody.call("GET", "/api/v1/openapi.json");
    expect(json).toMatchObject({
      info: { title: "Pipeline Orchestration (POrch)", version: "0.1.0" },
      components: {
        schemas: {
          TaskStateEnum: { enum: ["PENDING", "CLAIMED", "RUNNING", "DONE", "FAILED", "CANCELLED"] },
        },
      },
    });
  });

  it("is not a part of our own API's document, nor reachable by it", async () => {
    expect(JSON.stringify((await api.call("GET", "/openapi.json")).json)).not.toContain("porch");
    const { pipeline } = await makePipeline(admin);
    expect((await api.call("GET", `/queue/${encodeURIComponent(`porch/${pipeline.name}`)}`)).status).toBe(
      422,
    );
  });
});
