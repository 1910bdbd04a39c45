import { Client } from "pg";
import { afterAll, expect, it } from "vitest";
import { inputIdOf } from "../../../src/ledger/task-identity.ts";
import { at } from "../../http/call.ts";
import { startApi } from "../../http/start-api.ts";
import { vconductor } from "../../plugins/command.ts";
import { createDatabase } from "../../setup/database.ts";
import { Porch, pathOf } from "./porch.ts";

const api = await startApi();
afterAll(() => api.stop());
const env = { VCON_STORAGE_URL: api.stores.queueDatabase.url };

async function run(args: readonly string[]) {
  const command = vconductor(args, { env });
  const status = await command.exit();
  return { status, stdout: command.stdout(), output: command.output() };
}

const nobody = new Porch(`${api.url}/porch`);

it("vconductor porch token makes the first administrator, and tokens of pipelines", async () => {
  const made = await run(["porch", "token", "--description", "ops"]);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[0-9a-f]{32}\n$/) });
  const pipeline = { name: "by command", uri: "u", version: "1" };
  expect((await nobody.as(made.stdout.trim()).call("POST", "/pipelines/", pipeline)).status).toBe(201);
  const own = await run(["porch", "token", "--description", "w", "--pipeline", "by command"]);
  expect((await nobody.as(own.stdout.trim()).register(pipeline, { n: 1 })).status).toBe(201);
  const missing = await run(["porch", "token", "--description", "w", "--pipeline", "none"]);
  expect(missing).toMatchObject({ status: 1, output: expect.stringContaining("Pipeline 'none' not found") });
});

/** The tables of npg_porch, as it deploys them. */
const tables = `
  create schema npg_porch;
  create table npg_porch.pipeline (pipeline_id serial primary key, name varchar unique not null,
    repository_uri varchar not null, version varchar not null);
  create table npg_porch.token (token_id serial primary key, token varchar(32) unique, description varchar not null,
    pipeline_id integer references npg_porch.pipeline, date_issued timestamp, date_revoked timestamp);
  create type npg_porch.taskstateenum as enum ('PENDING', 'CLAIMED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED');
  create table npg_porch.task (task_id serial primary key, pipeline_id integer references npg_porch.pipeline,
    job_descriptor varchar, definition json, state npg_porch.taskstateenum, prefix varchar, created timestamp,
    unique (pipeline_id, job_descriptor));
  create table npg_porch.event (event_id serial primary key, task_id integer references npg_porch.task,
    time timestamp, change varchar, token_id integer not null references npg_porch.token)`;

it("vconductor porch import copies an npg_porch, and can be repeated", async () => {
  const source = await createDatabase();
  const client = new Client(source.url);
  await client.connect();
  try {
    await client.query(tables);
    await client.query(
      `insert into npg_porch.pipeline (name, repository_uri, version) values ('old', 'http://old', '1')`,
    );
    const [admin, worker, revoked] = ["a", "b", "c"].map((digit) => digit.repeat(32));
    await client.query(
      `insert into npg_porch.token (token, description, pipeline_id, date_issued, date_revoked)
       values ($1, 'admin', null, now(), null), ($2, 'worker', 1, now(), null), ($3, 'gone', 1, now(), '2999-01-01')`,
      [admin, worker, revoked],
    );
    const inputs = ['{"n": 2, "f": 1e-07}', '{"n": 1}', '{"n": 3}'];
    for (const [index, [state, created]] of [
      ["PENDING", "2026-01-02"],
      ["PENDING", "2026-01-01"],
      ["DONE", "2026-01-03"],
    ].entries()) {
      const input = inputs[index] ?? "";
      await client.query(
        `insert into npg_porch.task (pipeline_id, job_descriptor, definition, state, created) values (1, $1, $2, $3, $4)`,
        [inputIdOf(input), input, state, created],
      );
      await client.query(
        `insert into npg_porch.event (task_id, time, change, token_id) values ($1, $2, 'Created', 2)`,
        [index + 1, created],
      );
    }
    const first = await run(["porch", "import", source.url]);
    expect(first).toMatchObject({
      status: 0,
      stdout: "Added 1 pipelines, 3 tokens, 3 tasks and 3 events.\n",
    });
    const pipeline = { name: "old", uri: "http://old", version: "1" };
    const user = nobody.as(worker);
    expect((await user.register(pipeline, { n: 1 })).status).toBe(200);
    const claimed = await user.claim(pipeline, "?num_tasks=9");
    expect(Object(claimed.json).map((task: unknown) => at(task, "task_input", "n"))).toEqual([1, 2]);
    expect(claimed.text).toContain('"task_input":{"n": 2, "f": 1e-07}');
    const events = await nobody.call("GET", `${pathOf(pipeline, { n: 3 })}/events`);
    expect(events.json).toMatchObject([{ change: "Created", token: "worker" }]);
    expect(Date.parse(String(at(events.json, 0, "time")))).toBeLessThan(Date.parse("2026-01-05"));
    expect((await nobody.as(revoked).register(pipeline, { n: 9 })).status).toBe(403);
    expect((await nobody.as(admin).call("GET", "/tokens")).status).toBe(200);

    const again = await run(["porch", "import", source.url]);
    expect(again.stdout).toBe("Added 0 pipelines, 0 tokens, 0 tasks and 0 events.\n");
    expect((await user.claim(pipeline)).json).toEqual([]);
  } finally {
    await client.end();
    await source.drop();
  }
  const nowhere = await run(["porch", "import", "postgres://127.0.0.1:1/x"]);
  expect(nowhere).toMatchObject({ status: 1, output: expect.stringContaining("not available") });
});
