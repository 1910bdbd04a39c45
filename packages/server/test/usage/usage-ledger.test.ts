import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { postgresUsageLedger } from "../../src/usage/postgres-usage-ledger.ts";
import type { UsageEntry, UsageLedger } from "../../src/usage/usage-ledger.ts";
import { createDatabase, type TestDatabase } from "../setup/database.ts";

let own: TestDatabase;
let database: Database;
let ledger: UsageLedger;

beforeAll(async () => {
  own = await createDatabase();
  database = new Database({ url: own.url, poolSize: 4 });
  await migrate(database);
  ledger = postgresUsageLedger(database);
});
afterAll(async () => {
  await database.stop();
  await own.drop();
});

const entry: UsageEntry = {
  processor: "analyze",
  provider: "openai",
  model: "m",
  inputTokens: 100,
  outputTokens: 10,
};
const longAgo = new Date(0);
const soon = () => new Date(Date.now() + 60_000);

async function newJob(): Promise<number> {
  const { id } = await database.db
    .insertInto("vconductor.job")
    .values({ queue: "q", vcon_uuids: [] })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

describe("the usage ledger", () => {
  it("sums by run and by queue, and counts what has no price", async () => {
    await ledger.record({ entry: { ...entry, queue: "sums", runId: 7, cost: 0.25 } });
    await ledger.record({ entry: { ...entry, queue: "sums", runId: 7, audioSeconds: 1.5 } });
    await ledger.record({ entry: { ...entry, queue: "sums", runId: 8, cost: 1 } });
    const runs = await ledger.ofRuns([7, 8, 9]);
    expect(runs.get(7)).toEqual({
      calls: 2,
      inputTokens: 200,
      outputTokens: 20,
      audioSeconds: 1.5,
      cost: 0.25,
      unpriced: 1,
    });
    expect([...runs.keys()].toSorted()).toEqual([7, 8]);
    expect(await ledger.ofQueue({ queue: "sums", since: longAgo })).toMatchObject({ calls: 3, cost: 1.25 });
    expect(await ledger.ofQueue({ queue: "sums", since: soon() })).toMatchObject({ calls: 0, cost: 0 });
  });

  it("gives a summary by day, queue, provider and model", async () => {
    await ledger.record({ entry: { ...entry, queue: "s", model: "a", cost: 1 } });
    await ledger.record({ entry: { ...entry, queue: "s", model: "a", cost: 2 } });
    await ledger.record({ entry: { ...entry, queue: "s", model: "b" } });
    const groups = await ledger.summary({ since: longAgo, until: soon(), queue: "s" });
    const day = new Date().toISOString().slice(0, 10);
    expect(groups).toMatchObject([
      { day, queue: "s", provider: "openai", model: "a", calls: 2, cost: 3, unpriced: 0 },
      { day, queue: "s", provider: "openai", model: "b", calls: 1, cost: 0, unpriced: 1 },
    ]);
  });

  it("keeps an answer once, as long as the job lives", async () => {
    const jobId = await newJob();
    const keep = { jobId, key: "k", answer: '"first"' };
    await ledger.record({ entry, keep });
    await ledger.record({ entry, keep: { ...keep, answer: '"second"' } });
    expect(await ledger.kept({ jobId, key: "k" })).toBe('"first"');
    expect(await ledger.kept({ jobId, key: "other" })).toBeUndefined();
    await database.db.deleteFrom("vconductor.job").where("id", "=", jobId).execute();
    expect(await ledger.kept({ jobId, key: "k" })).toBeUndefined();
  });

  it("records what was used for a job that is gone", async () => {
    await ledger.record({
      entry: { ...entry, queue: "gone" },
      keep: { jobId: 999_999, key: "k", answer: "1" },
    });
    expect(await ledger.ofQueue({ queue: "gone", since: longAgo })).toMatchObject({ calls: 1 });
  });

  it("forgets what is old", async () => {
    await ledger.record({ entry: { ...entry, queue: "old" } });
    await database.db
      .updateTable("vconductor.usage")
      .set({ at: new Date(Date.now() - 40 * 86_400_000) })
      .where("queue", "=", "old")
      .execute();
    await ledger.purge(41);
    expect(await ledger.ofQueue({ queue: "old", since: longAgo })).toMatchObject({ calls: 1 });
    await ledger.purge(39);
    expect(await ledger.ofQueue({ queue: "old", since: longAgo })).toMatchObject({ calls: 0 });
  });
});
