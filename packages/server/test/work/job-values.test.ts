import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { openBackend } from "../../src/media/open-media.ts";
import { JobValues } from "../../src/work/job-values.ts";
import { mediaDirectory } from "../media/directory.ts";
import { startS3 } from "../media/s3-double.ts";
import { log } from "../processors/silent-log.ts";
import { rejected } from "../processors/thrown.ts";
import { createDatabase } from "../setup/database.ts";

const directory = await mediaDirectory();
const s3 = await startS3();
const places = [
  ["a directory", directory.env],
  ["a bucket", s3.env],
] as const;

const own = await createDatabase();
const database = new Database({ url: own.url, poolSize: 2 });
beforeAll(() => migrate(database));
afterAll(async () => {
  await database.stop();
  await own.drop();
});

const large = { text: "ø".repeat(70_000), n: 1.5 };

/** The names of what is kept, by the database. */
async function names(): Promise<readonly string[]> {
  const { rows } = await sql<{
    name: string;
  }>`select name from vconductor.kept_value order by kept_at`.execute(database.db);
  return rows.map(({ name }) => name);
}

const nameOf = (held: unknown) => String(Object(Object(held).$kept).name);
const longAgo = () =>
  sql`update vconductor.kept_value set kept_at = now() - interval '61 minutes'`.execute(database.db);

describe.each(places)("values of jobs in %s", (_, env) => {
  const values = new JobValues({ database, backend: openBackend(readConfig(env), log) });
  afterEach(async () => {
    await sql`truncate vconductor.job, vconductor.run, vconductor.sisyphus_job, vconductor.gateway_request cascade`.execute(
      database.db,
    );
    await longAgo();
    await values.sweep();
  });

  it.each([null, 0, "text", [1, { a: null }], { text: "x".repeat(65_000) }])(
    "are in the database itself while they are small",
    async (value) => {
      expect(await values.keep(value)).toEqual(value);
      expect(await values.read(value)).toEqual(value);
      expect(await names()).toEqual([]);
    },
  );

  it.each([
    ["large", large],
    ["with a NUL character", { text: "a\u0000b" }],
    ["with half of a surrogate pair", ["\ud800"]],
    [
      "like a pointer",
      { $kept: { name: "00000000-0000-4000-8000-000000000000", content_hash: "sha512-x", size: 1 } },
    ],
  ])("are kept beside it, and come back, when they are %s", async (_, value) => {
    const held = await values.keep(value);
    expect(JSON.stringify(held).length).toBeLessThan(300);
    expect(await names()).toEqual([nameOf(held)]);
    expect(await values.read(held)).toEqual(value);
  });

  it("do not take what somebody else wrote for a pointer", async () => {
    for (const kept of [
      null,
      "x",
      { name: "../../../etc/passwd", content_hash: "sha512-x" },
      { url: "http://x/" },
    ]) {
      expect(await values.read({ $kept: kept })).toEqual({ $kept: kept });
      expect(await values.keep({ $kept: kept })).toEqual({ $kept: kept });
    }
  });

  it("are swept when nothing has them any more", async () => {
    const [payload, given, result, info, answer, unused] = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(() => values.keep(large)),
    );
    const json = (held: unknown) => JSON.stringify(held);
    await sql`insert into vconductor.queue (name, kind) values ('q', 'remote') on conflict do nothing`.execute(
      database.db,
    );
    await sql`insert into vconductor.job (queue, job_type, vcon_uuids, payload)
      values ('q', 'work', '{}', ${json(payload)}::jsonb)`.execute(database.db);
    await sql`insert into vconductor.run (kind, queue, job_id, job, vcon_uuids, attempt, worker, server, lease_until, result)
      values ('remote', 'q', 1, ${json({ payload: given })}::jsonb, '{}', 1, 'w', 's', now(), ${json(result)}::jsonb)`.execute(
      database.db,
    );
    await sql`insert into vconductor.sisyphus_job (id, tenant, document, info)
      values ('j', 'default', '{}', ${json(info)}::jsonb)`.execute(database.db);
    await sql`insert into vconductor.gateway_request (id, tenant, service, job_id, answer)
      values (gen_random_uuid(), 'default', 's', 1, ${json({ status: "SUCCESS", result: answer })}::jsonb)`.execute(
      database.db,
    );
    expect(await values.sweep()).toBe(0);
    await longAgo();
    expect(await values.sweep()).toBe(1);
    expect((await names()).toSorted()).toEqual([payload, given, result, info, answer].map(nameOf).toSorted());
    expect(await rejected(values.read(unused))).toMatchObject({ code: "not_found" });
    for (const held of [payload, given, result, info, answer]) expect(await values.read(held)).toEqual(large);
    await sql`truncate vconductor.job, vconductor.run, vconductor.sisyphus_job, vconductor.gateway_request cascade`.execute(
      database.db,
    );
    expect(await values.sweep()).toBe(5);
    expect(await names()).toEqual([]);
    expect(await rejected(values.read(payload))).toMatchObject({ code: "not_found" });
  });
});

it("what a directory lost or damaged is an error that says which", async () => {
  const values = new JobValues({ database, backend: openBackend(readConfig(directory.env), log) });
  const held = await values.keep(large);
  const name = nameOf(held);
  const path = join(directory.directory, name.slice(0, 2), name.slice(2, 4), name);
  await writeFile(path, '"something else"');
  expect(await rejected(values.read(held))).toMatchObject({
    code: "provider_failed",
    message: expect.stringContaining(`${name}, which was kept of a job, is damaged`),
  });
});

it("a sweep leaves nothing of what is deleted on the disk", async () => {
  const values = new JobValues({ database, backend: openBackend(readConfig(directory.env), log) });
  const held = await values.keep(large);
  expect((await directory.files()).filter((file) => file.includes(nameOf(held)))).toHaveLength(2);
  await longAgo();
  await values.sweep();
  expect(await directory.files()).toEqual([]);
});
