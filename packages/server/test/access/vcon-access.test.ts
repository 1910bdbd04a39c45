import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NewToken } from "../../src/access/tokens/token-store.ts";
import { at } from "../http/call.ts";
import { definition, vcon } from "../http/documents.ts";
import { followEvents } from "../http/events.ts";
import { eventually } from "../setup/eventually.ts";
import { startTestServer, type TestServer, testPlugins } from "../setup/test-server.ts";
import { makeToken, tokensAt } from "./credentials.ts";

// Who sees what, on a whole server with its workers.

type Token = Awaited<ReturnType<typeof makeToken>>;

let server: TestServer;
let tokens: ReturnType<typeof tokensAt>;
let owner: Token;
let colleague: Token;
let partner: Token;
let admin: Token;
beforeAll(async () => {
  server = await startTestServer({ ACCESS: "on", PLUGIN_PATHS: testPlugins, SOME_SECRET: "hunter2" });
  tokens = tokensAt(server.database);
  const make = (more: Partial<NewToken>) => makeToken(tokens.store, more);
  owner = await make({});
  colleague = await make({ groups: ["hr"] });
  partner = await make({ tenant: "b", groups: ["auditors"] });
  admin = await make({ scopes: ["admin"], tenant: "default" });
});
afterAll(async () => {
  await tokens.stop();
  await server.stop();
});

const as = (who: Token) => ({
  call: (method: string, path: string, body?: unknown) =>
    server.call(method, path, { headers: who.headers, ...(body === undefined ? {} : { body }) }),
  status: async (method: string, path: string, body?: unknown) =>
    (await as(who).call(method, path, body)).status,
});

let made = 0;
async function store(access?: object): Promise<string> {
  made += 1;
  const uuid = `access-${made}`;
  expect(await as(owner).status("POST", "/vcon", vcon(uuid, { subject: `about ${uuid}` }))).toBe(204);
  if (access !== undefined) await give(uuid, access);
  return uuid;
}

async function give(uuid: string, access: object): Promise<void> {
  const answer = await as(owner).call("PUT", `/vcon/${uuid}/access`, access);
  expect([answer.status, answer.text]).toEqual([204, ""]);
}

const uuids = async (who: Token, query = "limit=1000") =>
  Object(at((await as(who).call("GET", `/vcons?${query}`)).json, "vcons")).map((one: unknown) =>
    at(one, "uuid"),
  );

const grant = (who: Token | string, ...permissions: string[]) => ({
  grantee: typeof who === "string" ? who : `token:${who.id}`,
  permissions,
});

describe("a vCon", () => {
  it("is its tenant's, and nobody else's", async () => {
    const uuid = await store();
    expect(await as(colleague).status("GET", `/vcon/${uuid}`)).toBe(200);
    expect(await as(partner).status("GET", `/vcon/${uuid}`)).toBe(404);
    expect(await uuids(colleague)).toContain(uuid);
    expect(await uuids(partner)).not.toContain(uuid);
    expect(await uuids(partner, `subject=${uuid}`)).toEqual([]);
    expect(await uuids(partner, `text=${uuid}`)).toEqual([]);
    expect(await as(admin).status("GET", `/vcon/${uuid}`)).toBe(200);
  });

  it("of another tenant cannot be overwritten, whatever the condition", async () => {
    const uuid = await store();
    const text = (await as(owner).call("GET", `/vcon/${uuid}`)).text;
    const write = (headers: object) =>
      server.call("POST", "/vcon", { body: vcon(uuid), headers: { ...partner.headers, ...headers } });
    expect((await write({})).status).toBe(403);
    expect((await write({ "if-match": "*" })).status).toBe(412);
    expect((await write({ "if-none-match": "*" })).status).toBe(412);
    expect(await as(partner).status("DELETE", `/vcon/${uuid}`)).toBe(204);
    expect((await as(owner).call("GET", `/vcon/${uuid}`)).text).toBe(text);
  });

  it("that is granted to a principal or a group is seen by these, for what was granted", async () => {
    const uuid = await store({ grants: [grant(partner, "read"), grant("group:nobody", "write")] });
    expect(await as(partner).status("GET", `/vcon/${uuid}`)).toBe(200);
    expect(await uuids(partner, `text=${uuid}`)).toEqual([uuid]);
    expect(await as(partner).status("POST", "/vcon", vcon(uuid))).toBe(403);
    expect(await as(partner).status("POST", `/process/${uuid}/tag`, { tags: ["t"] })).toBe(404);
    await give(uuid, { grants: [grant("group:auditors", "read", "write", "delete", "process")] });
    expect(await as(partner).status("POST", "/vcon", vcon(uuid))).toBe(204);
    expect(await as(partner).status("POST", `/process/${uuid}/tag`, { tags: ["t"] })).toBe(200);
    expect(await as(partner).status("DELETE", `/vcon/${uuid}`)).toBe(204);
    expect(await as(owner).status("GET", `/vcon/${uuid}`)).toBe(404);
  });

  it("that is restricted is seen by those with a grant only, also in its tenant", async () => {
    const uuid = await store({
      restricted: true,
      grants: [grant("group:hr", "read"), grant(owner, "read", "write")],
    });
    expect(await as(colleague).status("GET", `/vcon/${uuid}`)).toBe(200);
    expect(await as(owner).status("GET", `/vcon/${uuid}`)).toBe(200);
    const other = await makeToken(tokens.store);
    expect(await as(other).status("GET", `/vcon/${uuid}`)).toBe(404);
    expect(await uuids(other)).not.toContain(uuid);
    expect(await as(other).status("POST", "/vcon", vcon(uuid))).toBe(403);
    expect(await as(admin).status("GET", `/vcon/${uuid}`)).toBe(200);
  });

  it("says who may see it to those who see it; only its tenant's writers change that", async () => {
    const uuid = await store({ grants: [grant(partner, "write", "read")] });
    const path = `/vcon/${uuid}/access`;
    const access = { tenant: "a", restricted: false, grants: [grant(partner, "write", "read")] };
    expect((await as(partner).call("GET", path)).json).toEqual(access);
    expect(await as(partner).status("PUT", path, { grants: [] })).toBe(403);
    expect(await as(owner).status("PUT", path, { tenant: "b" })).toBe(403);
    expect(await as(admin).status("PUT", path, { tenant: "b" })).toBe(204);
    expect(await as(owner).status("GET", `/vcon/${uuid}`)).toBe(404);
    expect(await as(partner).status("GET", `/vcon/${uuid}`)).toBe(200);
  });

  it("refuses access lists that make no sense, and says where", async () => {
    const uuid = await store();
    for (const [grants, place] of [
      [[{ grantee: "ann", permissions: ["read"] }], "grantee"],
      [[{ grantee: "group:x", permissions: ["own"] }], "permissions"],
      [[{ grantee: "group:x", permissions: [] }], "permissions"],
    ] as const) {
      const answer = await as(owner).call("PUT", `/vcon/${uuid}/access`, { grants });
      expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(place)]);
    }
  });
});

describe("a pipeline", () => {
  async function makeQueue(steps: Parameters<typeof definition>[0], options: object = {}, who = owner) {
    made += 1;
    const queue = `queue-${made}`;
    expect(await as(who).status("PUT", `/pipeline/${queue}`, definition(steps, options))).toBe(204);
    expect(await as(who).status("POST", `/queue/${queue}`)).toBe(204);
    expect(await as(admin).status("POST", `/server/queue/${queue}`, { weight: 1 })).toBe(204);
    return queue;
  }

  /** Queues a job, and waits until it has run. */
  async function run(who: Token, queue: string, uuid: string) {
    const queued = await as(who).call("PUT", `/queue/${queue}`, { vcon_uuid: [uuid] });
    expect([queued.status, queued.text]).toEqual([200, expect.anything()]);
    const job = queued.headers.get("vconductor-job-id");
    return await eventually(async () => {
      const [last] = Object(at((await as(admin).call("GET", `/runs?job=${job}`)).json, "runs"));
      return at(last, "outcome") === null || last === undefined ? undefined : last;
    });
  }

  it("works for whoever queued the job: what that one may not see, it does not find", async () => {
    const shared = await makeQueue([["tag", { tags: ["seen"] }]], {}, admin);
    const uuid = await store();
    expect(await run(partner, shared, uuid)).toMatchObject({
      outcome: "failed",
      error: { code: "vcon_not_found" },
    });
    expect(await run(colleague, shared, uuid)).toMatchObject({ outcome: "done" });
  });

  it("saves what it changed only for who may write it", async () => {
    const shared = await makeQueue([["tag", { tags: ["seen"] }]], {}, admin);
    const uuid = await store({ grants: [grant(partner, "process")] });
    expect(await run(partner, shared, uuid)).toMatchObject({
      outcome: "failed",
      error: { code: "forbidden" },
    });
    await give(uuid, { grants: [grant(partner, "process", "write")] });
    expect(await run(partner, shared, uuid)).toMatchObject({ outcome: "done" });
  });

  it("run at once shows nothing to who may not read it, whatever else was granted, or the pipeline may", async () => {
    const uuid = await store({ grants: [grant(partner, "process", "write")] });
    expect(await as(partner).status("POST", `/process/${uuid}/tag`, { tags: ["t"] })).toBe(404);
    const shared = await makeQueue([["tag", { tags: ["t"] }]], { run_as: "pipeline" }, admin);
    await give(uuid, { grants: [grant(`pipeline:${shared}`, "process", "read", "write")] });
    const answer = await as(partner).call("POST", `/pipeline/${shared}/run/${uuid}`);
    expect([answer.status, answer.text]).toEqual([404, expect.not.stringContaining("about access")]);
    expect(await as(owner).status("POST", `/pipeline/${shared}/run/${uuid}`)).toBe(200);
  });

  it("leaves in the audit trail what it read and wrote, and for whom", async () => {
    const queue = await makeQueue([["tag", { tags: ["t"] }]]);
    const uuid = await store();
    const { id } = Object(await run(colleague, queue, uuid));
    const { json } = await as(admin).call("GET", `/audit?vcon=${uuid}`);
    const records: readonly Readonly<Record<string, unknown>>[] = Object(at(json, "records"));
    const of = (action: string) => records.filter((record) => record.action === action);
    expect(of("run.read")).toMatchObject([{ principal: `token:${colleague.id}`, run: id, target: queue }]);
    expect(of("run.write")).toMatchObject([{ principal: `token:${colleague.id}`, run: id, tenant: "a" }]);
    await eventually(async () => {
      const later = Object(at((await as(admin).call("GET", `/audit?vcon=${uuid}`)).json, "records"));
      return later.every((record: { position: number | null }) => record.position !== null);
    });
  });

  it("works with its own rights if its definition says so", async () => {
    const queue = await makeQueue([["tag", { tags: ["by-the-pipeline"] }]], { run_as: "pipeline" });
    const uuid = await store({
      restricted: true,
      grants: [grant(`pipeline:${queue}`, "process", "write"), grant(owner, "write", "read")],
    });
    expect(await run(colleague, queue, uuid)).toMatchObject({ outcome: "done" });
    expect((await as(owner).call("GET", `/vcon/${uuid}`)).text).toContain("by-the-pipeline");
  });

  it("hands on for whom it works, and what it makes is seen by those who see what it was made of", async () => {
    const next = await makeQueue([["tag", { tags: ["next"] }]]);
    const queue = await makeQueue([
      ["create_amended", {}],
      ["queue_job", { queue_name: next }],
    ]);
    const uuid = await store({
      restricted: true,
      grants: [grant(owner, "read", "write", "process"), grant(partner, "read")],
    });
    expect(await run(owner, queue, uuid)).toMatchObject({ outcome: "done" });
    await eventually(async () => (await as(owner).call("GET", `/vcon/${uuid}`)).text.includes("next"));
    const copies = (await uuids(admin)).filter((one: string) => !one.startsWith("access-"));
    const [copy] = copies;
    expect((await as(owner).call("GET", `/vcon/${copy}/access`)).json).toEqual({
      tenant: "a",
      restricted: true,
      grants: expect.arrayContaining([grant(owner, "read", "write", "process"), grant(partner, "read")]),
    });
    expect(await as(colleague).status("GET", `/vcon/${copy}`)).toBe(404);
  });

  it("of a tenant is used by that one alone; those of the default tenant by all", async () => {
    const own = await makeQueue([["tag", { tags: ["t"] }]]);
    const shared = await makeQueue([["tag", { tags: ["t"] }]], {}, admin);
    for (const [path, status] of [
      [`/pipeline/${own}`, 404],
      [`/queue/${own}`, 404],
      [`/pipeline/${shared}`, 200],
      [`/queue/${shared}`, 200],
    ] as const) {
      expect([path, await as(partner).status("GET", path)]).toEqual([path, status]);
    }
    expect(await as(partner).status("DELETE", `/pipeline/${shared}`)).toBe(403);
    expect(await as(partner).status("DELETE", `/queue/${shared}`)).toBe(403);
    expect(await as(partner).status("PATCH", `/queue/${shared}`, { paused: true })).toBe(403);
    expect((await as(partner).call("GET", "/queues")).json).not.toContain(own);
  });
});

describe("between tenants", () => {
  it("jobs and runs are seen by their own", async () => {
    const uuid = await store();
    expect(await as(admin).status("POST", "/queue/everybodys")).toBe(204);
    const queued = await as(owner).call("PUT", "/queue/everybodys", { vcon_uuid: [uuid], unique_key: "k" });
    expect((await as(partner).call("GET", "/queue/everybodys")).json).toEqual([]);
    expect((await as(owner).call("GET", "/queue/everybodys")).json).toHaveLength(1);
    const other = await as(partner).call("PUT", "/queue/everybodys", { vcon_uuid: ["x"], unique_key: "k" });
    const job = (answer: typeof queued) => answer.headers.get("vconductor-job-id");
    expect(job(other)).not.toBe(job(queued));
    expect(await as(partner).status("DELETE", `/queue/everybodys/job/${job(queued)}`)).toBe(404);
  });

  it("events are told to their own, those of restricted vCons to administrators", async () => {
    const follow = async (who: Token) => {
      const feed = await followEvents(server, "/events?types=vcon", who.headers);
      return { text: () => JSON.stringify(feed.seen), stop: feed.close };
    };
    const [mine, theirs, all] = [await follow(owner), await follow(partner), await follow(admin)];
    const restricted = await store({ restricted: true, grants: [grant(owner, "read", "write")] });
    expect(await as(owner).status("POST", "/vcon", vcon(restricted, { subject: "again" }))).toBe(204);
    const uuid = await store();
    await eventually(async () => all.text().includes(`"${uuid}"`) && mine.text().includes(`"${uuid}"`));
    expect(theirs.text()).not.toContain(uuid);
    expect(mine.text()).not.toContain(`"${restricted}","revision":2`);
    expect(all.text()).toContain(`"${restricted}","revision":2`);
    for (const feed of [mine, theirs, all]) await feed.stop();
  });

  it("an Idempotency-Key is its sender's", async () => {
    const send = (who: Token, uuid: string) =>
      server.call("POST", "/vcon", {
        body: vcon(uuid),
        headers: { ...who.headers, "idempotency-key": "the same" },
      });
    expect((await send(owner, "idem-1")).status).toBe(204);
    const other = await send(partner, "idem-2");
    expect([other.status, other.headers.get("idempotency-replayed")]).toEqual([204, null]);
    expect((await send(owner, "idem-1")).headers.get("idempotency-replayed")).toBe("true");
  });
});

it("secrets of the server go where a pipeline's author says, not where anybody does", async () => {
  const uuid = await store();
  const options = { url: "https://hooks.example.com", secret: "secret:SOME_SECRET" };
  const few = await makeToken(tokens.store, { scopes: ["process:run", "vcon:read"] });
  const refused = await as(few).call("POST", `/process/${uuid}/webhook`, options);
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining("pipeline:write")]);
  const dodged = await as(few).call("POST", "/processIO/webhook", {
    processor_io: { vcons: [vcon("x")], parameters: { p: "secret:SOME_SECRET" } },
    processor_options: { url: "https://hooks.example.com", format_options: { secret: "{p}" } },
  });
  expect([dodged.status, dodged.text]).toEqual([403, expect.stringContaining("pipeline:write")]);
});
