import { Writable } from "node:stream";
import pino from "pino";
import { afterAll, describe, expect, it } from "vitest";
import { makeToken, tokensOf } from "../access/credentials.ts";
import { vconductor } from "../plugins/command.ts";
import { eventually } from "../setup/eventually.ts";
import { at } from "./call.ts";
import { vcon } from "./documents.ts";
import { startApi } from "./start-api.ts";

let logged = "";
const log = pino(
  { level: "trace" },
  new Writable({
    write(chunk, _, done) {
      logged += String(chunk);
      done();
    },
  }),
);
const api = await startApi({ env: { ACCESS: "on", ROLES: '{"auditor":["vcon:read","metrics:read"]}' }, log });
const { url: database } = api.stores.stateDatabase;
afterAll(() => api.stop());
const tokens = tokensOf(api);
const admin = await makeToken(tokens, { scopes: ["admin"], name: "root" });

const call = (method: string, path: string, body?: unknown, headers = admin.headers) =>
  api.call(method, path, { headers, ...(body === undefined ? {} : { body }) });
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const secretOf = (text: string) => text.slice(-43);

async function make(body: object) {
  const answer = await call("POST", "/tokens", { name: "made", ...body });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return { text: String(at(answer.json, "token")), record: Object(at(answer.json, "record")) };
}

describe("a token", () => {
  it("is shown once, and kept as a hash", async () => {
    const { text, record } = await make({
      roles: ["reader"],
      tenant: "a",
      groups: ["hr"],
      expires_in_days: 2,
    });
    expect(text).toMatch(/^vct_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
    expect(record).toMatchObject({
      name: "made",
      tenant: "a",
      scopes: ["vcon:read"],
      groups: ["hr"],
      queues: null,
      created_by: `token:${admin.id}`,
      revoked_at: null,
      last_used_at: null,
    });
    expect(Date.parse(record.expires_at) - Date.now()).toBeGreaterThan(1.9 * 86_400_000);
    for (const path of ["/tokens", `/tokens/${record.id}`]) {
      expect((await call("GET", path)).text).not.toContain(secretOf(text));
    }
    const rows = await api.stores.stateDatabase.run((db) =>
      db.selectFrom("vconductor.token").selectAll().execute(),
    );
    expect(JSON.stringify(rows)).not.toContain(secretOf(text));
    expect(rows.find(({ id }) => id === record.id)?.secret_hash).toHaveLength(32);
  });

  it("has the scopes of its roles, its own, and those of roles that the settings add", async () => {
    expect((await make({ roles: ["auditor"], scopes: ["queue:write"] })).record.scopes).toEqual([
      "vcon:read",
      "queue:write",
      "metrics:read",
    ]);
  });

  it.each([
    [{ roles: ["king"] }, "no such role: king"],
    [{ scopes: ["vcon:own"] }, "no such scope: vcon:own"],
    [{}, "needs a role or a scope"],
    [{ roles: ["reader"], tenant: "a b" }, "tenant"],
    [{ roles: ["reader"], expires_in_days: 0 }, "expires_in_days"],
    [{ roles: ["reader"], name: "" }, "name"],
  ])("%j is refused, with the reason", async (body, reason) => {
    const answer = await call("POST", "/tokens", { name: "made", ...body });
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(reason)]);
  });

  it("with a wrong secret, or none, is no token", async () => {
    const { text } = await make({ roles: ["reader"] });
    const other = await make({ roles: ["reader"] });
    for (const wrong of [
      text.slice(0, -1),
      `${text}x`,
      text.slice(0, 17),
      text.slice(0, 17) + other.text.slice(17),
      text.toUpperCase(),
      "vct_",
    ]) {
      const answer = await call("GET", "/vcons", undefined, bearer(wrong));
      expect([answer.status, answer.text]).toEqual([
        401,
        expect.stringContaining("The credential is not good"),
      ]);
    }
    expect((await call("GET", "/vcons", undefined, { authorization: `bEaReR   ${text}` })).status).toBe(200);
    expect((await api.call("GET", "/vcons", { headers: { authorization: `Basic ${text}` } })).status).toBe(
      401,
    );
    expect((await api.call("GET", "/vcons", { headers: { "x-conserver-api-token": text } })).status).toBe(
      200,
    );
  });

  it("is refused from the moment on that it is revoked", async () => {
    const { text, record } = await make({ roles: ["reader"] });
    expect((await call("GET", "/vcons", undefined, bearer(text))).status).toBe(200);
    expect((await call("DELETE", `/tokens/${record.id}`)).status).toBe(204);
    const answer = await call("GET", "/vcons", undefined, bearer(text));
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("it was revoked")]);
    const { revoked_at: when } = Object((await call("GET", `/tokens/${record.id}`)).json);
    expect((await call("DELETE", `/tokens/${record.id}`)).status).toBe(204);
    expect((await call("GET", `/tokens/${record.id}`)).json).toMatchObject({ revoked_at: when });
    // Why it is refused is for who has it.
    const guessed = await call("GET", "/vcons", undefined, bearer(`${text.slice(0, 17)}${"x".repeat(43)}`));
    expect(guessed.text).not.toContain("revoked");
  });

  it("gets no more events once it is revoked", async () => {
    const { text, record } = await make({ roles: ["developer"] });
    const events = await fetch(`${api.url}/events`, { headers: bearer(text) });
    expect(events.status).toBe(200);
    await call("DELETE", `/tokens/${record.id}`);
    // The stream ends by itself.
    await events.text();
  });

  it("tells when it was last used, and from where, without writing that each time", async () => {
    const { text, record } = await make({ roles: ["reader"] });
    await call("GET", "/vcons", undefined, bearer(text));
    const used = async () => Object((await call("GET", `/tokens/${record.id}`)).json);
    const first = await eventually(async () =>
      (await used()).last_used_at === null ? undefined : await used(),
    );
    expect(first.last_used_from).toBe("127.0.0.1");
    for (let n = 0; n < 3; n += 1) await call("GET", "/vcons", undefined, bearer(text));
    expect((await used()).last_used_at).toBe(first.last_used_at);
  });

  it("is listed, newest first, page by page", async () => {
    for (let n = 0; n < 5; n += 1) await make({ name: `page-${n}`, roles: ["reader"] });
    const names: string[] = [];
    let cursor = "";
    do {
      const page = Object((await call("GET", `/tokens?limit=2${cursor}`)).json);
      names.push(...page.tokens.map((token: { name: string }) => token.name));
      cursor = page.next === null ? "" : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== "");
    expect(names.slice(0, 5)).toEqual(["page-4", "page-3", "page-2", "page-1", "page-0"]);
    expect(names.at(-1)).toBe("root");
    expect(new Set(names.filter((name) => name.startsWith("page"))).size).toBe(5);
  });

  it("is in no log, error, event or listing", async () => {
    const { text, record } = await make({ roles: ["developer"] });
    const stop = new AbortController();
    const events = await fetch(`${api.url}/events`, { headers: bearer(text), signal: stop.signal });
    let told = "";
    const reading = (async () => {
      for await (const part of events.body ?? []) told += Buffer.from(part).toString();
    })().catch(() => {});
    const answers = await Promise.all([
      call("POST", "/vcon", vcon("seen"), bearer(text)),
      call("GET", "/vcon/none", undefined, bearer(text)),
      call("GET", "/servers", undefined, bearer(text)),
      call("POST", "/vcon", { wrong: true }, bearer(text)),
      call("GET", "/vcons", undefined, bearer(text.slice(0, -2))),
      call("GET", "/vcons?limit=x", undefined, bearer(text)),
      call("GET", "/tokens"),
      call("GET", `/tokens/${record.id}`),
      call("GET", "/audit?limit=100"),
      call("GET", "/server/info"),
    ]);
    // Only what happens once the server knows that somebody follows is told.
    await eventually(async () => {
      await call("POST", "/vcon", vcon("seen"), bearer(text));
      return told.includes("vcon.stored");
    });
    stop.abort();
    await reading;
    const everything = [
      logged,
      told,
      ...answers.map((answer) => answer.text + JSON.stringify([...answer.headers])),
    ];
    expect(everything.join("\n")).not.toContain(secretOf(text).slice(0, 20));
    expect(logged).toContain("request");
  });
});

describe("vconductor token", () => {
  const env = { VCON_STORAGE_URL: database };
  const run = async (...args: readonly string[]) => {
    const command = vconductor(["token", ...args], { env });
    return { code: await command.exit(), stdout: command.stdout(), output: command.output() };
  };

  it("creates one that works, alone on standard output", async () => {
    const made = await run(
      "create",
      "--name",
      "by hand",
      "--role",
      "reader",
      "--role",
      "monitor",
      "--days",
      "3",
    );
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^vct_\S+\n$/)]);
    expect(made.output).toContain("vcon:read, metrics:read. Keep it: it is not shown again.");
    expect((await call("GET", "/vcons", undefined, bearer(made.stdout.trim()))).status).toBe(200);
  });

  it("lists and revokes", async () => {
    const { text, record } = await make({ name: "listed", roles: ["reader"] });
    expect((await run("list")).stdout).toMatch(
      new RegExp(`${record.id} +listed +default +vcon:read +good +never`),
    );
    expect(JSON.parse((await run("list", "--json")).stdout)).toContainEqual(
      expect.objectContaining({ id: record.id, name: "listed" }),
    );
    expect((await run("revoke", record.id)).code).toBe(0);
    expect((await call("GET", "/vcons", undefined, bearer(text))).status).toBe(401);
    expect((await run("list")).stdout).toMatch(new RegExp(`${record.id} +listed +.*revoked 20`));
  });

  it.each([
    [["create", "--name", "x"], "needs a role or a scope"],
    [["create", "--name", "x", "--role", "king"], "no such role: king (there are reader"],
    [["create", "--name", "x", "--role", "reader", "--days", "-1"], "number of days"],
    [["create", "--name", "x", "--role", "reader", "--tenant", "a b"], "letters, digits"],
    [["create", "--role", "reader"], "--name"],
    [["revoke", "nobody"], "token: nobody not found"],
  ])("%j says what is wrong", async (args, reason) => {
    const failed = await run(...args);
    expect([failed.code, failed.output]).toEqual([1, expect.stringContaining(reason)]);
    expect(failed.output).not.toMatch(/^\s+at /m);
  });
});
