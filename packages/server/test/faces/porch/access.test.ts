import { afterAll, expect, it } from "vitest";
import { makeToken, tokensOf } from "../../access/credentials.ts";
import { startApi } from "../../http/start-api.ts";
import { makePipeline, Porch } from "./porch.ts";

const api = await startApi({ env: { ACCESS: "on" } });
afterAll(() => api.stop());
const tokens = tokensOf(api);
const nobody = new Porch(`${api.url}/porch`);
const as = async (more: Parameters<typeof makeToken>[1]) => nobody.as((await makeToken(tokens, more)).text);

it("with access control reading takes a token too: one of the ledger, or an API token of this tenant", async () => {
  const admin = await as({ scopes: ["admin"] });
  const { pipeline, user } = await makePipeline(admin);
  expect((await user.register(pipeline, { n: 1 })).status).toBe(201);
  for (const path of ["/pipelines/", "/tasks", "/ui/long_running"]) {
    const refused = await nobody.call("GET", path);
    expect([path, refused.status, refused.text]).toEqual([path, 403, '{"detail":"Not authenticated"}']);
    const readers = [user, admin, await as({ tenant: "default", scopes: ["queue:write"] })];
    for (const reader of readers)
      expect([path, (await reader.call("GET", path)).status]).toEqual([path, 200]);
    const others = [
      await as({ tenant: "b" }),
      await as({ tenant: "default", scopes: ["vcon:read"] }),
      nobody.as("x"),
    ];
    for (const other of others) {
      const answer = await other.call("GET", path);
      expect([path, answer.status, answer.text]).toEqual([path, 403, '{"detail":"Invalid token"}']);
    }
  }
  const writer = await as({ tenant: "default", scopes: ["queue:write"] });
  expect((await writer.register(pipeline, { n: 2 })).status).toBe(403);
  expect((await writer.call("POST", "/pipelines/", { name: "x", uri: "", version: "" })).status).toBe(403);
});

it("with access control the audit trail has who makes and revokes tokens, and who is refused", async () => {
  const [before] = await api.stores.audit.list({ limit: 1 });
  const { id, text } = await makeToken(tokens, { scopes: ["admin"], name: "Ann" });
  const { pipeline, user } = await makePipeline(nobody.as(text));
  const listed = await nobody.as(text).call("GET", "/tokens");
  const own = Object(listed.json).find((token: { name: string }) => token.name === pipeline.name).id;
  await user.register(pipeline, { n: 1 });
  await user.call("POST", `/pipelines/${pipeline.name}/token/mine`);
  await user.register({ ...pipeline, name: "other" }, { n: 1 });
  await nobody.as(text).call("DELETE", `/tokens/${own}`);
  await user.register(pipeline, { n: 2 });
  await nobody.call("GET", "/tasks");
  const records = await api.stores.audit.list({ limit: 100 });
  const mint = "POST /porch/pipelines/:name/token/:description";
  expect(
    records
      .filter((record) => record.id > (before?.id ?? 0))
      .toReversed()
      .map(({ principal, principal_name: name, action, target, status }) => [
        principal,
        name,
        action,
        target,
        status,
      ]),
  ).toEqual([
    [`token:${id}`, "Ann", "POST /porch/pipelines/", null, 201],
    [`token:${id}`, "Ann", mint, `${pipeline.name} worker of ${pipeline.name}`, 201],
    [`token:${id}`, "Ann", "GET /porch/tokens", null, 200],
    [`porch:${own}`, `worker of ${pipeline.name}`, mint, `${pipeline.name} mine`, 403],
    [`porch:${own}`, `worker of ${pipeline.name}`, "POST /porch/tasks/", null, 403],
    [`token:${id}`, "Ann", "DELETE /porch/tokens/:token_id", String(own), 200],
    ["unknown", "unknown", "POST /porch/tasks/", null, 403],
    ["unknown", "unknown", "GET /porch/tasks", null, 403],
  ]);
});
