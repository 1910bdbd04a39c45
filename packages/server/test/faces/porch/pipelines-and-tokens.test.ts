import { afterAll, describe, expect, it } from "vitest";
import { detail, makePipeline, startPorch } from "./porch.ts";

const { api, admin, adminToken, nobody } = await startPorch();
afterAll(() => api.stop());

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

  it("are refused with one finding for each mistake, where it is", async () => {
    const findings = async (body: object) => detail(await admin.call("POST", "/pipelines/", body));
    expect(await findings({ name: "x", url: "u" })).toEqual([
      { type: "extra_forbidden", loc: ["body", "url"], msg: "Extra inputs are not permitted", input: null },
    ]);
    expect(await findings({ name: "x", uri: 1, version: "1" })).toEqual([
      { type: "string_type", loc: ["body", "uri"], msg: "Input should be a valid string", input: 1 },
    ]);
    for (const [path, loc] of [
      ["/pipelines/a%00b", ["path", "name"]],
      ["/pipelines/?uri=%00", ["query", "uri"]],
      ["/tasks/?pipeline_name=%00", ["query", "pipeline_name"]],
      ["/ui/tasks/%00/All/0001-01-01", ["path", "pipeline_name"]],
    ] as const) {
      const refused = await nobody.call("GET", path);
      expect([refused.status, detail(refused)]).toEqual([422, [expect.objectContaining({ loc })]]);
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
    // Some clients say that a body is JSON although there is none.
    const bare = await fetch(`${api.url}/porch/pipelines/${pipeline.name}/token/bare`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    });
    expect(bare.status).toBe(201);
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
    const pages: unknown[] = [];
    for (let path: string | undefined = "/tokens?limit=2"; path !== undefined; ) {
      const page = await admin.call("GET", path);
      pages.push(...Object(page.json));
      const next = /^<(\?[^>]*)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      path = next === undefined ? undefined : `/tokens${next}`;
    }
    expect(pages).toEqual(listed.json);
    expect((await user.call("GET", "/tokens")).status).toBe(403);
    expect((await user.call("DELETE", `/tokens/${mine.id}`)).status).toBe(403);
    expect((await user.register(pipeline, {})).status).toBe(201);
    expect((await admin.call("DELETE", `/tokens/${mine.id}`)).json).toEqual({ id: mine.id, revoked: true });
    expect(detail(await user.register(pipeline, { n: 1 }))).toBe("Invalid token");
    expect((await admin.call("DELETE", "/tokens/999999")).status).toBe(404);
  });
});
