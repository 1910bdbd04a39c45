import { afterAll, describe, expect, it } from "vitest";
import { at } from "../../http/call.ts";
import { makePipeline, startPorch } from "./porch.ts";

const { api, admin, nobody } = await startPorch();
afterAll(() => api.stop());

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
    const other = await makePipeline(admin);
    await other.user.register(other.pipeline, { n: 0 });
    expect(await count("")).toBe(26);
    expect(await count("?pipeline_name=")).toBe(26);
    expect(await count("?pipeline_name=&status=CLAIMED")).toBe(5);
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
    expect(all.json).toMatchObject({ draw: "7", recordsTotal: 3, recordsFiltered: 3 });
    expect(Object(at(all.json, "data")).map((task: unknown) => at(task, "task_input", "n"))).toEqual([
      2, 1, 3,
    ]);
    expect(at(all.json, "data", 0, "created")).toMatch(/^\d{4}-\d\d-\d\d\u00a0\d\d:\d\d:\d\d$/);
    expect(at((await view("NOT%20DONE/0001-01-01")).json, "recordsTotal")).toBe(2);
    expect(at((await view("DONE/2020-01-01T00:00:00+01:00")).json, "recordsTotal")).toBe(1);
    expect(at((await view("DONE/2999-01-01")).json, "data")).toEqual([]);
    expect(at((await view("All/0001-01-01?start=1&length=1")).json, "data")).toHaveLength(1);
    expect((await view("Nothing/0001-01-01")).status).toBe(422);
    for (const wrong of ["yesterday", "2026-02-30", "2026-02-28T25:00", "2026-02-28T10:00:00X"])
      expect([wrong, (await view(`All/${wrong}`)).status]).toEqual([wrong, 422]);
    expect((await view("All/2024-02-29%2010:00:00.5")).status).toBe(200);
    expect(at((await view("All/0001-01-01?draw=x7")).json, "draw")).toBe("x7");
    expect(at((await view("All/0001-01-01")).json, "draw")).toBe(null);
    expect(at((await view("All/0001-01-01?start=2")).json, "data")).toHaveLength(1);
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
    const total = Number(at(long.json, "recordsTotal"));
    for (const [query, length] of [
      ["start=0&length=0", 0],
      ["length=1", 1],
      [`start=${total - 1}`, 1],
      [`start=${total}`, 0],
    ] as const) {
      const page = await nobody.call("GET", `/ui/long_running?${query}`);
      expect([query, at(page.json, "recordsTotal"), Object(at(page.json, "data")).length]).toEqual([
        query,
        total,
        length,
      ]);
    }
  });
});

describe("everything else", () => {
  it("is answered as by npg_porch", async () => {
    const unknown = await nobody.call("GET", "/nothing");
    expect([unknown.status, unknown.text]).toEqual([404, '{"detail":"Not Found"}']);
    for (const [method, path] of [
      ["DELETE", "/tasks"],
      ["DELETE", "/tasks/"],
      ["PATCH", "/tasks/?x=1"],
    ] as const) {
      const wrong = await nobody.call(method, path);
      expect([path, wrong.status, wrong.text, wrong.headers.get("allow")]).toEqual([
        path,
        405,
        '{"detail":"Method Not Allowed"}',
        expect.stringContaining("PUT"),
      ]);
    }
    // Its images ask for the root to see whether it is well.
    const root = await nobody.call("GET", "");
    expect([root.status, at(root.json, "openapi")]).toEqual([200, "api/v1/openapi.json"]);
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
