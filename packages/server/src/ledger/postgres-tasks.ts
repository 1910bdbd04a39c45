import { sql } from "kysely";
import { everything } from "../access/principal.ts";
import { Batch } from "../database/batch.ts";
import type { Transaction } from "../database/database.ts";
import type { Ledger, LedgerPipeline, LedgerToken, Task, TaskKey } from "./ledger.ts";
import { jobOf, type LedgerOptions, queueOf } from "./ledger-options.ts";
import { inputIdOf } from "./task-identity.ts";
import { columns, type TaskRow, tasks, toTask } from "./task-rows.ts";

interface NewTask {
  readonly pipeline: LedgerPipeline;
  readonly input: string;
  readonly inputId: string;
  readonly by: LedgerToken;
}

/** Tasks come in, and are handed out: each is a row here, and while it is PENDING or claimed a job of the engine. */
export function taskMethods({
  database,
  jobs,
  remoteJobs,
  serverKey,
}: LedgerOptions): Pick<Ledger, "register" | "claim"> {
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
            update vconductor.task t set state = 'CLAIMED', run_id = given.run_id, claim = given.run_id,
              claimed_by = ${token.id ?? null}::bigint, lease_ms = ${leaseMs ?? null}::bigint,
              progress = null, message = null, updated_at = now()
            from given where t.id = given.id
            returning t.*
          ), noted as (
            insert into vconductor.task_event (task_id, change, token_id)
            select id, 'Task claimed', ${token.id ?? null}::bigint from t
          )
          select ${columns} from t join vconductor.porch_pipeline p on p.id = t.pipeline_id`.execute(tx);
        const byRun = new Map(rows.map((row) => [row.run_id, toTask(row)]));
        return claimed.flatMap(({ runId, leaseUntil }) => {
          const task = byRun.get(runId);
          if (task === undefined) return [];
          return [{ ...task, claim: runId, leaseUntil: leaseMs === undefined ? undefined : leaseUntil }];
        });
      });
    },
  };
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

const keyOf = ({ pipeline, inputId }: TaskKey) => `${pipeline.id} ${inputId}`;
const keyOfRow = (row: TaskRow) => `${row.pipeline_id} ${row.input_id}`;
