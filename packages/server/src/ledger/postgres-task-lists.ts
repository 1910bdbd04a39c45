import { type RawBuilder, sql } from "kysely";
import type { Ledger, TaskFilter } from "./ledger.ts";
import type { LedgerOptions } from "./ledger-options.ts";
import { columns, type TaskRow, taskRow, tasks, toTask } from "./task-rows.ts";

type Looking = Pick<Ledger, "getTask" | "events" | "listTasks" | "recentTasks" | "longRunning">;

/** Looking at tasks, one or many. */
export function taskLists({ database }: Pick<LedgerOptions, "database">): Looking {
  const count = async (from: RawBuilder<unknown>): Promise<number> => {
    const { rows } = await database.run((db) =>
      sql<{ total: number }>`select count(*) as total from ${from}`.execute(db),
    );
    return rows[0]?.total ?? 0;
  };

  return {
    getTask: async (key) => toTask(await database.run((db) => taskRow(db, key))),

    async events(key) {
      const { id } = await database.run((db) => taskRow(db, key));
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

    async listTasks({ after, limit, pipeline, ...filter }) {
      // As a range, which only the index by pipeline and number has in this order: the planner, which does not know how
      // many tasks a pipeline has, would go through those of all otherwise.
      const from =
        pipeline === undefined
          ? sql`t.id > ${after}`
          : sql`(t.pipeline_id, t.id) > (${idOf(pipeline)}, ${after}) and t.pipeline_id <= ${idOf(pipeline)}`;
      const order = pipeline === undefined ? sql`t.id` : sql`t.pipeline_id, t.id`;
      const { rows } = await database.run((db) =>
        sql<TaskRow>`select ${columns} from ${tasks}
          where ${from} and ${matches(filter)} order by ${order} limit ${limit}`.execute(db),
      );
      return rows.map(toTask);
    },

    async recentTasks({ limit, offset, ...filter }) {
      const { rows } = await database.run((db) =>
        sql<TaskRow>`select ${columns} from ${tasks} where ${matches(filter)}
          order by t.updated_at desc, t.id desc limit ${limit} offset ${offset}`.execute(db),
      );
      // Of the tasks alone: it is answered by an index, however many there are.
      const total = await count(sql`vconductor.task t where ${matches(filter)}`);
      return { tasks: rows.map(toTask), total };
    },

    async longRunning({ limit, offset }) {
      // What is usual is found out once, for the page and the number of all.
      const { rows } = await database.run((db) =>
        sql<TaskRow & { readonly total: number }>`
          with usual as (
            select pipeline_id, avg(seconds) + 2 * stddev_samp(seconds) as cutoff from (
              select pipeline_id, extract(epoch from updated_at - created_at) as seconds
              from vconductor.task where state = 'DONE') done
            group by pipeline_id having count(*) >= 2
          ), long as materialized (
            select t.id, t.created_at from vconductor.task t join usual using (pipeline_id)
            where t.state in ('PENDING', 'CLAIMED', 'RUNNING', 'FAILED')
              and t.created_at < now() - make_interval(secs => usual.cutoff::float8)
          ), page as (select id from long order by created_at, id limit ${limit} offset ${offset})
          select counted.total, ${columns} from (select count(*) as total from long) counted
          left join (page join vconductor.task t using (id) join vconductor.porch_pipeline p on p.id = t.pipeline_id)
            on true order by t.created_at, t.id`.execute(db),
      );
      const shown = rows.filter(({ id }) => id !== null);
      return { tasks: shown.map(toTask), total: rows[0]?.total ?? 0 };
    },
  };
}

/** The conditions as indexes have them: a pipeline by its id, and states in the text, since partial indexes are by state. */
function matches({ pipeline, states, since }: TaskFilter): RawBuilder<unknown> {
  const conditions = [
    pipeline === undefined ? sql`true` : sql`t.pipeline_id = ${idOf(pipeline)}`,
    states === undefined ? sql`true` : sql`t.state in (${sql.join(states.map((state) => sql.lit(state)))})`,
    since === undefined ? sql`true` : sql`t.updated_at >= ${since}`,
  ];
  return sql.join(conditions, sql` and `);
}

function idOf(name: string): RawBuilder<number> {
  return sql`(select id from vconductor.porch_pipeline where name = ${name})`;
}
