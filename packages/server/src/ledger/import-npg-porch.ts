import { sql } from "kysely";
import { Database, type Transaction } from "../database/database.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { Ledger } from "./ledger.ts";
import { jobOf } from "./ledger-options.ts";
import { hashOf } from "./postgres-ledger.ts";
import { inputIdOf } from "./task-identity.ts";

export interface Imported {
  readonly pipelines: number;
  readonly tokens: number;
  /** Those that were not here before. */
  readonly tasks: number;
  readonly events: number;
  /** Tasks whose id is not that of their input; they keep it. */
  readonly strange: number;
}

interface SourceTask {
  readonly task_id: number;
  readonly pipeline_id: number;
  readonly job_descriptor: string;
  readonly definition: string;
  readonly state: string;
  readonly created: Date;
  readonly updated: Date;
}

interface SourceEvent {
  readonly task_id: number;
  readonly time: Date;
  readonly change: string;
  readonly token_id: number | null;
}

const batchSize = 1000;

/**
 * Copies pipelines, tokens, tasks and their history out of the database of an npg_porch. What is here already stays as it
 * is, so that it can be done again. Times without a zone are in the source's time zone.
 *
 * @param options.source its postgres:// address
 * @param options.schema where its tables are. Default: npg_porch
 */
export async function importNpgPorch(options: {
  readonly source: string;
  readonly schema?: string;
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly ledger: Ledger;
  readonly onProgress?: (tasks: number) => void;
}): Promise<Imported> {
  const { database, jobs, ledger, onProgress } = options;
  const schema = sql.ref(options.schema ?? "npg_porch");
  const source = new Database({ url: options.source, poolSize: 1, application: "vconductor porch import" });
  try {
    // One moment of the source, however long it takes.
    return await source.transaction(async (from) => {
      await sql`set transaction isolation level repeatable read, read only`.execute(from);
      const pipelines = await copyPipelines(from);
      const tokens = await copyTokens(from, pipelines.ids);
      let [tasks, events, strange] = [0, 0, 0];
      await sql`declare source_tasks no scroll cursor for
        select t.task_id::bigint, t.pipeline_id::bigint, t.job_descriptor, t.definition::text as definition,
          t.state::text as state, coalesce(t.created::timestamptz, now()) as created,
          coalesce((select max(e.time)::timestamptz from ${schema}.event e where e.task_id = t.task_id),
            t.created::timestamptz, now()) as updated
        from ${schema}.task t order by t.created nulls first, t.task_id`.execute(from);
      for (;;) {
        const { rows } = await sql<SourceTask>`fetch ${sql.raw(String(batchSize))} from source_tasks`.execute(
          from,
        );
        if (rows.length === 0) break;
        const { rows: history } = await sql<SourceEvent>`
          select task_id::bigint, coalesce(time::timestamptz, now()) as time, change, token_id::bigint
          from ${schema}.event where task_id = any (${rows.map((row) => row.task_id)}::bigint[])
          order by event_id`.execute(from);
        const added = await database.transaction((tx) =>
          copyTasks(tx, {
            rows,
            history,
            pipelines: pipelines.names,
            ids: pipelines.ids,
            tokens: tokens.ids,
          }),
        );
        tasks += added.tasks;
        events += added.events;
        strange += rows.filter((row) => inputIdOf(row.definition) !== row.job_descriptor).length;
        onProgress?.(tasks);
      }
      return { pipelines: pipelines.added, tokens: tokens.added, tasks, events, strange };
    });
  } finally {
    await source.stop();
  }

  async function copyPipelines(from: Transaction) {
    const { rows } = await sql<{ id: number; name: string; uri: string; version: string }>`
      select pipeline_id::bigint as id, name, repository_uri as uri, version
      from ${schema}.pipeline order by pipeline_id`.execute(from);
    const ids = new Map<number, number>();
    const names = new Map<number, string>();
    let added = 0;
    for (const { id, ...pipeline } of rows) {
      const known = await ledger.getPipeline(pipeline.name).catch(() => undefined);
      if (known === undefined) added += 1;
      ids.set(id, (known ?? (await ledger.addPipeline(pipeline))).id);
      names.set(id, pipeline.name);
    }
    return { ids, names, added };
  }

  async function copyTokens(from: Transaction, pipelines: ReadonlyMap<number, number>) {
    const { rows } = await sql<{
      id: number;
      token: string;
      description: string;
      pipeline_id: number | null;
      issued: Date;
      revoked: boolean;
    }>`select token_id::bigint as id, token, description, pipeline_id::bigint,
         coalesce(date_issued::timestamptz, now()) as issued, date_revoked is not null as revoked
       from ${schema}.token order by token_id`.execute(from);
    const ids = new Map<number, number>();
    let added = 0;
    for (const row of rows) {
      const hash = hashOf(row.token);
      const made = await database.run((db) =>
        db
          .insertInto("vconductor.porch_token")
          .values({
            hash,
            description: row.description,
            pipeline_id: row.pipeline_id === null ? null : (pipelines.get(row.pipeline_id) ?? null),
            issued_at: row.issued,
            revoked_at: row.revoked ? new Date() : null,
          })
          .onConflict((conflict) => conflict.column("hash").doNothing())
          .returning("id")
          .executeTakeFirst(),
      );
      if (made !== undefined) added += 1;
      const { id } =
        made ??
        (await database.run((db) =>
          db
            .selectFrom("vconductor.porch_token")
            .select("id")
            .where("hash", "=", hash)
            .executeTakeFirstOrThrow(),
        ));
      ids.set(row.id, id);
    }
    return { ids, added };
  }

  async function copyTasks(
    tx: Transaction,
    given: {
      readonly rows: readonly SourceTask[];
      readonly history: readonly SourceEvent[];
      readonly pipelines: ReadonlyMap<number, string>;
      readonly ids: ReadonlyMap<number, number>;
      readonly tokens: ReadonlyMap<number, number>;
    },
  ) {
    const tasks = given.rows.map((row, n) => ({
      n,
      source: row.task_id,
      name: given.pipelines.get(row.pipeline_id),
      pipeline_id: given.ids.get(row.pipeline_id),
      input_id: row.job_descriptor,
      input: row.definition,
      state: row.state,
      created_at: row.created,
      updated_at: row.updated,
    }));
    const { rows: added } = await sql<{
      id: number;
      source: number;
      name: string;
      state: string;
      position: number;
    }>`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(tasks)}::jsonb) as g (n integer, source bigint, name text,
          pipeline_id bigint, input_id text, input text, state text, created_at timestamptz, updated_at timestamptz)
      ), t as (
        insert into vconductor.task (pipeline_id, input_id, input, state, created_at, updated_at)
        select pipeline_id, decode(input_id, 'hex'), input, state, created_at, updated_at from given order by n
        on conflict (pipeline_id, input_id) do nothing
        returning *
      )
      select t.id, given.source, given.name, t.state, t.position
      from t join given on given.pipeline_id = t.pipeline_id and decode(given.input_id, 'hex') = t.input_id
      order by t.position`.execute(tx);
    const ids = new Map(added.map((row) => [row.source, row.id]));
    const events = given.history.flatMap(({ task_id, time, change, token_id }) => {
      const task = ids.get(task_id);
      return task === undefined
        ? []
        : [{ task_id: task, at: time, change, token_id: given.tokens.get(token_id ?? -1) ?? null }];
    });
    if (events.length > 0) {
      await sql`insert into vconductor.task_event (task_id, at, change, token_id)
        select task_id, at, change, token_id from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
          as g (task_id bigint, at timestamptz, change text, token_id bigint)`.execute(tx);
    }
    await jobs.enqueueIn(tx, added.filter((row) => row.state === "PENDING").map(jobOf));
    return { tasks: added.length, events: events.length };
  }
}
