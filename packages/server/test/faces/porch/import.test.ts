import { Client } from "pg";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { at } from "../../http/call.ts";
import { startApi } from "../../http/start-api.ts";
import { vconductor } from "../../plugins/command.ts";
import { createDatabase, type TestDatabase } from "../../setup/database.ts";
import { Porch, pathOf } from "./porch.ts";

const api = await startApi();
afterAll(() => api.stop());
const env = { VCON_STORAGE_URL: api.stores.queueDatabase.url };
const nobody = new Porch(`${api.url}/porch`);
const [admin = "", worker = "", revoked = ""] = ["a", "b", "c"].map((digit) => digit.repeat(32));

let source: TestDatabase;
let client: Client;
beforeEach(async () => {
  source = await createDatabase();
  client = new Client(source.url);
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await source.drop();
});

async function runImport(...args: readonly string[]) {
  const command = vconductor(["porch", "import", ...args], { env });
  const status = await command.exit();
  return { status, stdout: command.stdout(), output: command.output() };
}

/** The tables of npg_porch, as it deploys them. */
const tables = (schema: string) => `
  create schema ${schema};
  create table ${schema}.pipeline (pipeline_id serial primary key, name varchar unique not null,
    repository_uri varchar not null, version varchar not null);
  create table ${schema}.token (token_id serial primary key, token varchar(32) unique, description varchar not null,
    pipeline_id integer references ${schema}.pipeline, date_issued timestamp, date_revoked timestamp);
  create type ${schema}.taskstateenum as enum ('PENDING', 'CLAIMED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED');
  create table ${schema}.task (task_id serial primary key, pipeline_id integer references ${schema}.pipeline,
    job_descriptor varchar, definition json, state ${schema}.taskstateenum, prefix varchar, created timestamp,
    unique (pipeline_id, job_descriptor));
  create table ${schema}.event (event_id serial primary key, task_id integer references ${schema}.task,
    time timestamp, change varchar, token_id integer not null references ${schema}.token)`;

/** An npg_porch with one pipeline of this name and three tokens. */
async function makeSource(name: string, schema = "npg_porch") {
  await client.query(tables(schema));
  await client.query(
    `insert into ${schema}.pipeline (name, repository_uri, version) values ($1, 'http://old', '1')`,
    [name],
  );
  await client.query(
    `insert into ${schema}.token (token, description, pipeline_id, date_issued, date_revoked)
     values ($1, 'admin', null, now(), null), ($2, 'worker', 1, now(), null), ($3, 'gone', 1, now(), '2999-01-01')`,
    [`${name}${admin}`.slice(-32), worker, revoked],
  );
  return {
    pipeline: { name, uri: "http://old", version: "1" },
    async add(input: string, state: string, created: string | null) {
      const { rows } = await client.query(
        `insert into ${schema}.task (pipeline_id, job_descriptor, definition, state, created)
         values (1, $1, $2, $3, $4) returning task_id`,
        [inputIdOf(input), input, state, created],
      );
      await client.query(
        `insert into ${schema}.event (task_id, time, change, token_id) values ($1, $2, 'Created', 2)`,
        [at(rows, 0, "task_id"), created],
      );
    },
    async set(input: string, state: string) {
      await client.query(`update ${schema}.task set state = $1 where job_descriptor = $2`, [
        state,
        inputIdOf(input),
      ]);
      await client.query(
        `insert into ${schema}.event (task_id, time, change, token_id)
         select task_id, now(), $1, 2 from ${schema}.task where job_descriptor = $2`,
        [`Task changed, new status ${state}`, inputIdOf(input)],
      );
    },
  };
}

it("copies an npg_porch, and can be repeated", async () => {
  const { pipeline, add } = await makeSource("old");
  await add('{"n": 4}', "PENDING", null);
  await add('{"n": 2, "f": 1e-07}', "PENDING", "2026-01-02");
  await add('{"n": 1}', "PENDING", "2026-01-01");
  await add('{"n": 3}', "DONE", "2026-01-03");
  expect(await runImport(source.url)).toMatchObject({
    status: 0,
    stdout: "Added 1 pipelines, 3 tokens, 4 tasks and 4 events.\n",
  });
  const user = nobody.as(worker);
  expect((await user.register(pipeline, { n: 1 })).status).toBe(200);
  const claimed = await user.claim(pipeline, "?num_tasks=9");
  // In npg_porch's order: those without a time come last.
  expect(Object(claimed.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([1, 2, 4]);
  expect(claimed.text).toContain('"task_input":{"n": 2, "f": 1e-07}');
  const events = await nobody.call("GET", `${pathOf(pipeline, { n: 3 })}/events`);
  expect(events.json).toMatchObject([{ change: "Created", token: "worker" }]);
  expect(Date.parse(String(at(events.json, 0, "time")))).toBeLessThan(Date.parse("2026-01-05"));
  expect((await nobody.as(revoked).register(pipeline, { n: 9 })).status).toBe(403);
  expect((await nobody.as(`old${admin}`.slice(-32)).call("GET", "/tokens")).status).toBe(200);

  expect((await runImport(source.url)).output).not.toContain("another state");
  expect((await user.claim(pipeline)).json).toEqual([]);
});

it("takes over what became of tasks at the source, unless something happened to them here", async () => {
  const { pipeline, add, set } = await makeSource("two");
  for (const n of [1, 2, 3, 4]) await add(`{"n":${n}}`, n === 4 ? "FAILED" : "PENDING", `2026-01-0${n}`);
  await runImport(source.url, "--schema", "npg_porch");
  const user = nobody.as(worker);
  const token = await api.ledger.addToken({
    pipeline: await api.ledger.getPipeline("two"),
    description: "own",
  });
  const own = user.as(token);
  expect((await own.claim(pipeline)).json).toMatchObject([{ task_input: { n: 1 } }]);
  for (const [n, state] of [
    [1, "DONE"],
    [2, "DONE"],
    [4, "PENDING"],
  ] as const)
    await set(`{"n":${n}}`, state);
  const again = await runImport(source.url);
  expect(again).toMatchObject({
    status: 0,
    stdout: "Added 0 pipelines, 0 tokens, 0 tasks and 2 events.\n2 tasks have another state now.\n",
    output: expect.stringContaining("task 1: it is DONE there, and CLAIMED here"),
  });
  const events = await nobody.call("GET", `${pathOf(pipeline, { n: 2 })}/events`);
  expect(events.json).toMatchObject([{ change: "Created" }, { change: "Task changed, new status DONE" }]);
  // What is done there does not run again here, and what waits there waits here.
  const rest = await own.claim(pipeline, "?num_tasks=9");
  expect(Object(rest.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([3, 4]);
  // A token that is revoked there by now is not good here either.
  await client.query(`update npg_porch.token set date_revoked = now() where token = $1`, [worker]);
  await runImport(source.url);
  expect(await api.ledger.listTokens({ limit: 100 })).toContainEqual(
    expect.objectContaining({ description: "worker", revokedAt: expect.any(Date) }),
  );
});

it("leaves out the rows that npg_porch chokes on, and names them", async () => {
  const { pipeline, add } = await makeSource("poison", "other_schema");
  await add('{"n": 1}', "PENDING", "2026-01-01");
  const [id, other] = [inputIdOf('{"n":2}'), inputIdOf('{"n":3}')];
  await client.query("alter table other_schema.task alter column state type varchar");
  const rows: readonly (readonly [number | null, string | null, string | null, string | null])[] = [
    [1, inputIdOf("{}"), "null", "PENDING"],
    [1, "x", "[1,2]", "PENDING"],
    [1, "y", null, "PENDING"],
    [null, id, '{"n":2}', "PENDING"],
    [1, "not hex", '{"n":2}', "PENDING"],
    [1, other, '{"n":2}', "PENDING"],
    [1, null, '{"n":2}', "PENDING"],
    [1, id, '{"n":2}', "PAUSED"],
  ];
  for (const row of rows) {
    await client.query(
      `insert into other_schema.task (pipeline_id, job_descriptor, definition, state) values ($1, $2, $3, $4)`,
      [...row],
    );
  }
  const done = await runImport(source.url, "--schema", "other_schema");
  expect(done).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/ 1 tasks and 1 events\.\n$/),
    output: expect.stringContaining("8 tasks cannot be copied:\n  task 2: its definition is no JSON object"),
  });
  expect(done.output.match(/^ {2}task \d+: .+$/gm)?.map((line) => line.slice(10))).toEqual([
    "its definition is no JSON object",
    "its definition is no JSON object",
    "its definition is no JSON object",
    "it has no pipeline",
    "its job_descriptor is not the id of its definition",
    "its job_descriptor is not the id of its definition",
    "its job_descriptor is not the id of its definition",
    "its state is PAUSED",
  ]);
  expect((await nobody.call("GET", `/tasks?pipeline_name=${pipeline.name}`)).json).toHaveLength(1);
});

it("merges histories that are longer than a page with the tasks that they are of", async () => {
  const { pipeline } = await makeSource("many");
  const inputs = Array.from({ length: 1200 }, (_, n) => `{"n":${n}}`);
  await client.query(
    `insert into npg_porch.task (pipeline_id, job_descriptor, definition, state, created)
     select 1, id, input::json, 'DONE', timestamp '2026-01-01' + n * interval '1 s'
     from unnest($1::text[], $2::text[]) with ordinality as g (id, input, n)`,
    [inputs.map(inputIdOf), inputs],
  );
  // Written in no order: what belongs together is far apart.
  await client.query(`insert into npg_porch.event (task_id, time, change, token_id)
    select task_id, now(), 'change ' || n, 2 from generate_series(1, 3) n, npg_porch.task order by n, md5(task_id::text)`);
  expect((await runImport(source.url)).stdout).toContain("1200 tasks and 3600 events");
  for (const n of [0, 999, 1000, 1199]) {
    const events = await nobody.call("GET", `${pathOf(pipeline, { n })}/events`);
    expect(Object(events.json).map((event: unknown) => at(event, "change"))).toEqual([
      "change 1",
      "change 2",
      "change 3",
    ]);
  }
});

it("says in a sentence why a source cannot be read, and not the password", async () => {
  const { port } = new URL(source.url);
  await client.query("create schema empty");
  const cases: readonly (readonly [args: readonly string[], sentence: string])[] = [
    [["nonsense"], "That is not the address of a database"],
    [["mysql://u:secret@127.0.0.1/x"], "That is not the address of a database"],
    [["postgres://u:secret@127.0.0.1:1/x"], "at 127.0.0.1:1 does not answer (ECONNREFUSED)"],
    [["postgres://u:secret@nowhere.invalid/x"], "at nowhere.invalid does not answer"],
    [[source.url.replace(/[^/]*$/, "nothing")], `at 127.0.0.1:${port} has no database nothing.`],
    [[source.url.replace(/\/\/[^@]*@/, "//stranger:secret@")], "does not let in the user stranger"],
    [[source.url], "no tables of npg_porch in its schema npg_porch"],
    [[source.url, "--schema", "empty"], "no tables of npg_porch in its schema empty"],
  ];
  for (const [args, sentence] of cases) {
    const { status, output } = await runImport(...args);
    expect([args, status, output]).toEqual([args, 1, expect.stringContaining(sentence)]);
    expect(output).not.toMatch(/secret|try again|^ +at /m);
    expect(output.trim().split("\n")).toHaveLength(1);
  }
});

it("takes an address as SQLAlchemy spells it", async () => {
  await makeSource("spelled");
  const url = source.url.replace(/^postgres(ql)?:/, "postgresql+asyncpg:");
  expect(await runImport(url)).toMatchObject({ status: 0, stdout: expect.stringContaining("1 pipelines") });
});
