import { sql } from "kysely";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/access/audit/audit-trail.ts";
import { postgresAudit } from "../../src/access/audit/postgres-audit.ts";
import { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { command, vconductor } from "../plugins/command.ts";
import { createDatabase } from "../setup/database.ts";

const own = await createDatabase();
const database = new Database({ url: own.url, poolSize: 8 });
await migrate(database);
const audit = postgresAudit(database);
afterAll(async () => {
  await database.stop();
  await own.drop();
});

/** As somebody would who has all rights in the database. */
async function tamper(statement: string): Promise<void> {
  await database.transaction(async (tx) => {
    await sql`alter table vconductor.audit disable trigger all`.execute(tx);
    await sql.raw(statement).execute(tx);
    await sql`alter table vconductor.audit enable trigger all`.execute(tx);
  });
}

beforeEach(() => tamper("truncate vconductor.audit restart identity"));

const ann = { id: "token:ann", name: "Ann", via: "token", tenant: "a" } as const;
const entry = (vcon: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  principal: ann,
  action: "get_vcon",
  vcon,
  address: "192.0.2.1",
  status: 200,
  ...more,
});

async function fill(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => audit.record(entry(`v${n}`))));
  while ((await audit.chain()) > 0);
}

describe("the chain", () => {
  it("has all that many record at once, chained by two servers at once, without a gap", async () => {
    const other = postgresAudit(database);
    const recording = Promise.all(
      Array.from({ length: 500 }, (_, n) => (n % 2 ? audit : other).record(entry(`v${n}`))),
    );
    const chaining = Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? audit : other).chain()));
    await recording;
    await chaining;
    while ((await audit.chain()) > 0);
    const { head, mistake, late } = await audit.verify();
    expect([head?.position, mistake, late]).toEqual([500, undefined, 0]);
    const records = await audit.list({ limit: 1000 });
    expect(new Set(records.map(({ vcon }) => vcon)).size).toBe(500);
  });

  it("takes up what commits late", async () => {
    let commit = () => {};
    const committing = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const began = Promise.withResolvers<void>();
    const late = database.transaction(async (tx) => {
      await audit.recordIn(tx, [entry("late")]);
      began.resolve();
      await committing;
    });
    await began.promise;
    await fill(3);
    commit();
    await late;
    expect(await audit.chain()).toBe(1);
    expect(await audit.verify()).toMatchObject({ head: { position: 4 }, mistake: undefined });
    expect((await audit.list({ limit: 10, vcon: "late" }))[0]).toMatchObject({ id: 1, position: 4 });
  });

  it("of nothing is well", async () => {
    expect(await audit.verify()).toEqual({ head: undefined, mistake: undefined, late: 0 });
  });

  it.each([
    ["an edited record", "update vconductor.audit set vcon = 'other' where position = 5", /^position 5 /],
    [
      "an edited time",
      "update vconductor.audit set at = at + interval '1 microsecond' where position = 5",
      /^position 5 /,
    ],
    ["an edited detail", `update vconductor.audit set detail = '{"a":1}' where position = 7`, /^position 7 /],
    ["another hash", "update vconductor.audit set hash = repeat('a', 64) where position = 9", /^position 9 /],
    ["a missing record", "delete from vconductor.audit where position = 4", /^position 4 is missing/],
    [
      "a missing record, with the others moved up",
      "delete from vconductor.audit where position = 4; update vconductor.audit set position = -position where position > 4; update vconductor.audit set position = -position - 1 where position < 0",
      /^position 4 /,
    ],
  ])("shows %s", async (_, statement, shown) => {
    await fill(10);
    await tamper(statement);
    expect((await audit.verify()).mistake).toMatch(shown);
  });

  it("shows that it was made anew, or its end cut off, to who has noted an end", async () => {
    await fill(10);
    const { head } = await audit.verify();
    const noted = head === undefined ? [] : [head];
    await fill(5);
    expect((await audit.verify(noted)).mistake).toBeUndefined();
    await tamper("delete from vconductor.audit where position > 8");
    expect((await audit.verify()).mistake).toBeUndefined();
    expect((await audit.verify(noted)).mistake).toContain(
      "position 10, which was noted earlier, is not there",
    );
    await tamper("update vconductor.audit set vcon = 'other', position = null, hash = null");
    while ((await audit.chain()) > 0);
    await fill(2);
    expect((await audit.verify()).mistake).toBeUndefined();
    expect((await audit.verify(noted)).mistake).toContain("has another hash than was noted");
  });

  it("tells of records that nobody chains", async () => {
    await audit.record(entry("v"));
    await tamper("update vconductor.audit set at = at - interval '2 minutes'");
    expect(await audit.verify()).toEqual({ head: undefined, mistake: undefined, late: 1 });
  });
});

it.each([
  "update vconductor.audit set vcon = 'x'",
  "update vconductor.audit set position = 99",
  "update vconductor.audit set position = null, hash = null",
  "delete from vconductor.audit",
  "truncate vconductor.audit",
])("the database refuses: %s", async (statement) => {
  await fill(1);
  await expect(sql.raw(statement).execute(database.db)).rejects.toThrow("only added to");
});

describe("reading", () => {
  it("finds by vCon, principal, tenant, action and time, newest first", async () => {
    await audit.record(entry("a"));
    await audit.record(
      entry("b", { principal: { ...ann, id: "token:bob", tenant: "b" }, action: "post_vcon" }),
    );
    const ids = async (filter: object) =>
      (await audit.list({ limit: 10, ...filter })).map(({ vcon }) => vcon);
    expect(await ids({})).toEqual(["b", "a"]);
    expect(await ids({ vcon: "a" })).toEqual(["a"]);
    expect(await ids({ principal: "token:bob", tenant: "b", action: "post_vcon" })).toEqual(["b"]);
    expect(await ids({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await ids({ until: new Date(Date.now() + 60_000), before: 2 })).toEqual(["a"]);
  });

  it("exports all, oldest first", async () => {
    await fill(2500);
    const ids: number[] = [];
    for await (const { id } of audit.export({})) ids.push(id);
    expect(ids).toEqual(Array.from({ length: 2500 }, (_, n) => n + 1));
  });
});

describe("the command", () => {
  const env = { VCON_STORAGE_URL: own.url };

  it("verifies, prints an end to note, and finds what does not fit it", async () => {
    await fill(3);
    const fine = vconductor(["audit", "verify"], { env });
    expect(await fine.exit(), fine.output()).toBe(0);
    const head = /^3:[0-9a-f]{64}$/m.exec(fine.stdout())?.[0] ?? "";
    const same = vconductor(["audit", "verify", "--expect", head], { env });
    expect(await same.exit(), same.output()).toBe(0);
    await tamper("update vconductor.audit set principal = 'token:eve' where position = 2");
    const bad = vconductor(["audit", "verify", "--expect", head], { env });
    expect(await bad.exit()).toBe(1);
    expect(bad.output()).toContain("position 2 (id 2)");
  });

  it("exports JSON lines, also into a pipe that is slow", async () => {
    await fill(1200);
    const exported = vconductor(["audit", "export", "--principal", ann.id], { env });
    expect(await exported.exit(), exported.output()).toBe(0);
    const records = exported
      .stdout()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.length).toBe(1200);
    expect(records[0]).toMatchObject({ principal: ann.id, action: "get_vcon", position: 1 });
  });

  it("says what is wrong with what it is given", async () => {
    const wrong = command(
      process.execPath,
      [new URL("../../src/main.ts", import.meta.url).pathname, "audit", "verify", "--expect", "x"],
      { env },
    );
    expect(await wrong.exit()).toBe(1);
    expect(wrong.output()).toContain("must look like");
    expect(wrong.output()).not.toMatch(/^\s+at /m);
  });
});
