import { sql } from "kysely";
import { everything } from "../access/principal.ts";
import { Batch } from "../database/batch.ts";
import type { Executor, Transaction } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import { percentOf } from "../jobs/run.ts";
import {
  type Ledger,
  type LedgerPipeline,
  type LedgerToken,
  type Task,
  type TaskFilter,
  type TaskKey,
  taskStates,
} from "./ledger.ts";
import { jobOf, type LedgerOptions, queueOf } from "./ledger-options.ts";
import { inputIdOf } from "./task-identity.ts";

interface TaskRow {
  readonly id: number;
  readonly pipeline_id: number;
  readonly name: string;
  readonly uri: string;
  readonly version: string;
  readonly input_id: string;
  readonly input: string;
  readonly state: string;
  readonly position: number;
  readonly run_id: number | null;
  readonly progress: number | null;
  readonly message: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

interface NewTask {
  readonly pipeline: LedgerPipeline;
  readonly input: string;
  readonly inputId: string;
  readonly by: LedgerToken;
}

/** Of `vconductor.task t` and `vconductor.porch_pipeline p`. */
const columns = sql`t.id, t.pipeline_id, p.name, p.uri, p.version, encode(t.input_id, 'hex') as input_id, t.input, t.state,
  t.position, t.run_id, t.progress, t.message, t.created_at, t.updated_at`;
const tasks = sql`vconductor.task t join vconductor.porch_pipeline p on p.id = t.pipeline_id`;

type TaskMethods = Omit<
  Ledger,
  "addPipeline" | "listPipelines" | "getPipeline" | "addToken" | "findToken" | "listTokens" | "revokeToken"
>;

/** Tasks: each is a row here, and while it is PENDING or claimed a job of the engine. */
export function taskMethods({ database, jobs, remoteJobs, serverKey }: LedgerOptions): TaskMethods {
  const by = { kind: "task", viewer: everything } as const;

  /** Registrations that arrive together share a transaction. */
  const registrations = new Batch<NewTask, { readonly task: Task; readonly created: boolean }>(
    (group) =>
      database.transaction(async (tx) => {
        // In the same order everywhere, so that two groups do not wait for each other.
        const ordered = group.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
        const created = new Map((await insert(tx, ordered)).map((row) => [keyOfRow(row), row]));
        await jobs.enqueueIn(
          tx,
          [...created.values()].toSorted((a, b) => a.position - b.position).map(jobOf),
        );
        const others = group.filter((task) => !created.has(keyOf(task)));
        const found = new Map((await find(tx, others)).map((row) => [keyOfRow(row), row]));
        return group.map((task) => {
          const key = keyOf(task);
          const row = created.get(key) ?? found.get(key);
          if (row === undefined) throw new Error("a task was neither new nor there");
          return { task: toTask(row), created: created.has(key) };
        });
      }),
    { key: keyOf, lanes: 3 },
  );

  const one = async (db: Executor, { pipeline, inputId }: TaskKey): Promise<TaskRow> => {
    const { rows } = await sql<TaskRow>`select ${columns} from ${tasks}
      where t.pipeline_id = ${pipeline.id} and t.input_id = decode(${inputId}, 'hex')`.execute(db);
    const [row] = rows;
    if (row === undefined) throw new VconductorError("not_found", "Task to be modified could not be found");
    return row;
  };

  /**
   * The task, locked, and with it its run or its job that waits: in the order in which the engine locks them, which is the
   * run before the task when a run ends, and the job before the task when it is claimed.
   */
  const lock = async (tx: Transaction, key: TaskKey): Promise<TaskRow> => {
    for (;;) {
      const seen = await one(tx, key);
      if (seen.run_id !== null) {
        await sql`select from vconductor.run where id = ${seen.run_id} for update`.execute(tx);
      } else if (seen.state === "PENDING") {
        await sql`select from vconductor.job where queue = ${queueOf(key.pipeline)} and unique_key = ${String(seen.id)}
          for update`.execute(tx);
      }
      await sql`select from vconductor.task where id = ${seen.id} for update`.execute(tx);
      const locked = await one(tx, key);
      if (locked.run_id === seen.run_id && locked.state === seen.state) return locked;
    }
  };

  return {
    async register({ pipeline, input, by: token }) {
      return await registrations.add({ pipeline, input, inputId: inputIdOf(input), by: token });
    },

    async claim({ pipeline, limit, leaseMs, by: token }) {
      return await database.transaction(async (tx) => {
        const claimed = await remoteJobs.claimIn(tx, {
          ...by,
          queue: queueOf(pipeline),
          limit,
          worker: token.description,
          server: serverKey,
          leaseMs,
        });
        if (claimed.length === 0) return [];
        const given = JSON.stringify(claimed.map(({ payload, runId }) => ({ id: payload, run_id: runId })));
        const { rows } = await sql<TaskRow>`
          with given as (select * from jsonb_to_recordset(${given}::jsonb) as g (id bigint, run_id bigint)),
          t as (
            update vconductor.task t set state = 'CLAIMED', run_id = given.run_id, progress = null, message = null,
              updated_at = now()
            from given where t.id = given.id
            returning t.*
          ), noted as (
            insert into vconductor.task_event (task_id, change, token_id)
            select id, 'Task claimed', ${token.id ?? null}::bigint from t
          )
          select ${columns} from t join vconductor.porch_pipeline p on p.id = t.pipeline_id order by t.position`.execute(
          tx,
        );
        return rows.map(toTask);
      });
    },

    async update({ state, progress, message, by: token, ...key }) {
      return await database.transaction(async (tx) => {
        const before = await lock(tx, key);
        const stays = state === "CLAIMED" || state === "RUNNING";
        const runId = stays ? before.run_id : null;
        await sql`
          with t as (
            update vconductor.task set state = ${state}, run_id = ${runId}::bigint, updated_at = now(),
              progress = coalesce(${percentOf(progress)}::smallint, progress), message = ${message ?? null}
            where id = ${before.id}
          )
          insert into vconductor.task_event (task_id, change, message, token_id)
          values (${before.id}, ${`Task changed, new status ${state}`}, ${message ?? null}, ${token.id ?? null}::bigint)`.execute(
          tx,
        );
        if (before.run_id !== null && runId === null) await endRun(tx, before.run_id, { state, message });
        else if (state === "PENDING" && before.state !== "PENDING") await jobs.enqueueIn(tx, [jobOf(before)]);
        else if (state !== "PENDING" && before.state === "PENDING") {
          await remoteJobs.withdrawIn(tx, { queue: queueOf(key.pipeline), uniqueKey: String(before.id) });
        }
        return toTask(await one(tx, key));
      });
    },

    async report({ leaseMs, progress, message, ...key }) {
      const { id, run_id: runId } = await database.run((db) => one(db, key));
      if (runId === null) throw new VconductorError("run_not_active", "Nobody has claimed the task");
      await remoteJobs.heartbeat({ runId, by, leaseMs, progress, message });
      await database.run((db) =>
        sql`update vconductor.task set progress = coalesce(${percentOf(progress)}::smallint, progress),
          message = coalesce(${message ?? null}, message) where id = ${id} and run_id = ${runId}`.execute(db),
      );
      return toTask(await database.run((db) => one(db, key)));
    },

    getTask: async (key) => toTask(await database.run((db) => one(db, key))),

    async events(key) {
      const { id } = await database.run((db) => one(db, key));
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.task_event as e")
          .leftJoin("vconductor.porch_token as k", "k.id", "e.token_id")
          .select(["e.at", "e.change", "e.message", "k.description as by"])
          .where("e.task_id", "=", id)
          .orderBy("e.id")
          .execute(),
      );
      return rows;
    },

    async listTasks({ after, limit, ...filter }) {
      const { rows } = await database.run((db) =>
        sql<TaskRow>`select ${columns} from ${tasks}
          where t.id > ${after} and ${matches(filter)} order by t.id limit ${limit}`.execute(db),
      );
      return rows.map(toTask);
    },

    async recentTasks({ limit, offset, ...filter }) {
      const { rows } = await database.run((db) =>
        sql<TaskRow>`select ${columns} from ${tasks} where ${matches(filter)}
          order by t.updated_at desc, t.id desc limit ${limit} offset ${offset}`.execute(db),
      );
      const counted = await database.run((db) =>
        sql<{ total: number }>`select count(*) as total from ${tasks} where ${matches(filter)}`.execute(db),
      );
      return { tasks: rows.map(toTask), total: counted.rows[0]?.total ?? 0 };
    },

    async longRunning() {
      const { rows } = await database.run((db) =>
        sql<TaskRow>`
          with usual as (
            select pipeline_id, avg(seconds) + 2 * stddev_samp(seconds) as cutoff from (
              select pipeline_id, extract(epoch from updated_at - created_at) as seconds
              from vconductor.task where state = 'DONE') done
            group by pipeline_id having count(*) >= 2
          )
          select ${columns} from ${tasks} join usual using (pipeline_id)
          where t.state not in ('DONE', 'CANCELLED') and extract(epoch from now() - t.created_at) > usual.cutoff
          order by t.created_at`.execute(db),
      );
      return rows.map(toTask);
    },
  };

  async function endRun(
    tx: Transaction,
    runId: number,
    { state, message }: { readonly state: string; readonly message: string | undefined },
  ): Promise<void> {
    const reason = message ?? `the task is ${state}`;
    if (state === "DONE") await jobs.finish(tx, [{ runId, followUps: [] }]);
    else {
      const outcome = state === "PENDING" ? "released" : state === "FAILED" ? "failed" : "cancelled";
      await remoteJobs.settleIn(tx, { runId, outcome, reason });
    }
  }
}

async function insert(tx: Transaction, group: readonly NewTask[]): Promise<readonly TaskRow[]> {
  const given = JSON.stringify(
    group.map((task, n) => ({
      n,
      pipeline_id: task.pipeline.id,
      input_id: task.inputId,
      input: task.input,
      token_id: task.by.id ?? null,
    })),
  );
  const { rows } = await sql<TaskRow>`
    with given as (
      select * from jsonb_to_recordset(${given}::jsonb) as g (
        n integer, pipeline_id bigint, input_id text, input text, token_id bigint)
    ), t as (
      insert into vconductor.task (pipeline_id, input_id, input)
      select pipeline_id, decode(input_id, 'hex'), input from given order by n
      on conflict (pipeline_id, input_id) do nothing
      returning *
    ), noted as (
      insert into vconductor.task_event (task_id, change, token_id)
      select t.id, 'Created', given.token_id
      from t join given on given.pipeline_id = t.pipeline_id and decode(given.input_id, 'hex') = t.input_id
    )
    select ${columns} from t join vconductor.porch_pipeline p on p.id = t.pipeline_id`.execute(tx);
  return rows;
}

async function find(tx: Transaction, keys: readonly NewTask[]): Promise<readonly TaskRow[]> {
  if (keys.length === 0) return [];
  const given = JSON.stringify(keys.map((key) => ({ pipeline_id: key.pipeline.id, input_id: key.inputId })));
  const { rows } = await sql<TaskRow>`
    select ${columns} from ${tasks}
    join jsonb_to_recordset(${given}::jsonb) as g (pipeline_id bigint, input_id text)
      on g.pipeline_id = t.pipeline_id and decode(g.input_id, 'hex') = t.input_id`.execute(tx);
  return rows;
}

function matches({ pipeline, states, since }: TaskFilter) {
  const named = pipeline === undefined ? sql`true` : sql`p.name = ${pipeline}`;
  const inState = states === undefined ? sql`true` : sql`t.state = any (${[...states]}::text[])`;
  const changed = since === undefined ? sql`true` : sql`t.updated_at >= ${since}`;
  return sql`${named} and ${inState} and ${changed}`;
}

const keyOf = ({ pipeline, inputId }: TaskKey) => `${pipeline.id} ${inputId}`;
const keyOfRow = (row: TaskRow) => `${row.pipeline_id} ${row.input_id}`;

function toTask(row: TaskRow): Task {
  const state = taskStates.find((known) => known === row.state);
  if (state === undefined) throw new Error(`a task is in no known state: ${row.state}`);
  return {
    id: row.id,
    pipeline: { id: row.pipeline_id, name: row.name, uri: row.uri, version: row.version },
    inputId: row.input_id,
    input: row.input,
    state,
    progress: row.progress,
    message: row.message,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
