import { sql } from "kysely";
import { afterAll, describe, expect, it } from "vitest";
import { makeToken, tokensOf } from "../access/credentials.ts";
import { vcon } from "./documents.ts";
import { startApi } from "./start-api.ts";

const api = await startApi({ env: { ACCESS: "on" } });
afterAll(() => api.stop());
const owner = await makeToken(tokensOf(api), { name: "Ann" });
const admin = await makeToken(tokensOf(api), { scopes: ["admin"] });

const call = (
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = owner.headers,
) => api.call(method, path, { headers, ...(body === undefined ? {} : { body }) });

/** What was recorded since, oldest first. */
async function since(act: () => Promise<unknown>) {
  const [last] = await api.stores.audit.list({ limit: 1 });
  await act();
  const records = await api.stores.audit.list({ limit: 100 });
  return records.filter(({ id }) => id > (last?.id ?? 0)).toReversed();
}

describe("a request", () => {
  it("is recorded once it is answered: who, what, to which vCon, from where", async () => {
    const records = await since(async () => {
      await call("POST", "/vcon", vcon("told"));
      await call("GET", "/vcon/told?version=0.3.0");
      await call("GET", "/vcon/not-there");
      await call("GET", "/vcons?text=secret+words&limit=5");
      await call("POST", "/queue/calls");
      await call("PUT", "/queue/calls", { vcon_uuid: ["told", "other"] });
      await call("DELETE", "/vcon/told");
    });
    expect(
      records.map(({ action, vcon, target, status, detail }) => [action, vcon, target, status, detail]),
    ).toEqual([
      ["post_vcon", "told", null, 204, null],
      ["get_vcon", "told", null, 200, { query: ["version"] }],
      ["get_vcon", "not-there", null, 404, null],
      ["list_vcons", null, null, 200, { query: ["text", "limit"] }],
      ["post_queue", null, "calls", 204, null],
      ["put_queue", null, "calls", 200, { count: 2, vcons: ["told", "other"] }],
      ["delete_vcon", "told", null, 204, null],
    ]);
    for (const record of records) {
      expect(record).toMatchObject({
        principal: `token:${owner.id}`,
        principal_name: "Ann",
        via: "token",
        tenant: "a",
        address: "127.0.0.1",
        request: expect.any(String),
      });
    }
  });

  it("is recorded before its answer has an end, if that has none", async () => {
    const records = await since(async () => {
      const stop = new AbortController();
      await fetch(`${api.url}/events`, { headers: owner.headers, signal: stop.signal });
      stop.abort();
    });
    expect(records).toMatchObject([{ action: "get_events" }]);
  });

  it("that is refused is recorded too, but not without end", async () => {
    const records = await since(async () => {
      await call("GET", "/servers");
      for (let n = 0; n < 70; n += 1)
        await call("GET", "/vcon/x", undefined, { authorization: "Bearer vct_nonsense" });
    });
    expect(records[0]).toMatchObject({ principal: `token:${owner.id}`, action: "get_servers", status: 403 });
    const refused = records.slice(1);
    expect(refused.length).toBe(60);
    expect(refused[0]).toMatchObject({ principal: "unknown", action: "get_vcon", vcon: "x", status: 401 });
    expect(JSON.stringify(records)).not.toContain("nonsense");
  });

  it("of a public route, or for no route, is not", async () => {
    expect(
      await since(async () => {
        await call("GET", "/health");
        await call("GET", "/openapi.json");
        await call("GET", "/nowhere");
      }),
    ).toEqual([]);
  });

  it("that cannot be recorded is answered with an error, and nothing else", async () => {
    await call("POST", "/vcon", vcon("hidden", { subject: "a secret" }));
    const { db } = api.stores.storeDatabase;
    await sql`alter table vconductor.audit rename to away`.execute(db);
    try {
      const answer = await call("GET", "/vcon/hidden");
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain("a secret");
    } finally {
      await sql`alter table vconductor.away rename to audit`.execute(db);
    }
    expect((await call("GET", "/vcon/hidden")).status).toBe(200);
  });
});

describe("GET /audit", () => {
  it("is for administrators", async () => {
    expect((await call("GET", "/audit")).status).toBe(403);
  });

  it("pages, and gives JSON lines", async () => {
    await call("POST", "/vcon", vcon("paged"));
    for (let n = 0; n < 4; n += 1) await call("GET", "/vcon/paged");
    const get = async (query: string) =>
      await call("GET", `/audit?vcon=paged&${query}`, undefined, admin.headers);
    const first = Object((await get("limit=3")).json);
    expect(first.records).toHaveLength(3);
    const second = Object((await get(`limit=3&cursor=${encodeURIComponent(first.next)}`)).json);
    expect([second.records.length, second.next]).toEqual([2, null]);
    expect(second.records.at(-1)).toMatchObject({ action: "post_vcon" });
    const lines = await get("format=jsonl");
    expect(lines.headers.get("content-type")).toContain("application/jsonl");
    expect(
      lines.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).action),
    ).toEqual(["post_vcon", ...Array.from({ length: 4 }, () => "get_vcon")]);
  });
});

it("without access control nothing is recorded; with AUDIT=writes no reading", async () => {
  const open = await startApi();
  await open.call("POST", "/vcon", { body: vcon("u") });
  expect(await open.stores.audit.list({ limit: 10 })).toEqual([]);
  await open.stop();
  const writes = await startApi({ env: { ACCESS: "on", AUDIT: "writes" } });
  const { headers } = await makeToken(tokensOf(writes));
  await writes.call("POST", "/vcon", { body: vcon("u"), headers });
  await writes.call("GET", "/vcon/u", { headers });
  expect((await writes.stores.audit.list({ limit: 10 })).map(({ action }) => action)).toEqual(["post_vcon"]);
  await writes.stop();
});
