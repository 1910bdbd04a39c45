import { sql } from "kysely";
import type { Ledger, TaskFilter } from "./ledger.ts";
import type { LedgerOptions } from "./ledger-options.ts";
import { columns, type TaskRow, taskRow, tasks, toTask } from "./task-rows.ts";

type Looking = Pick<Ledger, "getTask" | "events" | "listTasks" | "recentTasks" | "longRunning">;

/** Looking at tasks, one or many. */
export function taskLists({ database }: Pick<LedgerOptions, "database">): Looking {
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
}

function matches({ pipeline, states, since }: TaskFilter) {
  const named = pipeline === undefined ? sql`true` : sql`p.name = ${pipeline}`;
  const inState = states === undefined ? sql`true` : sql`t.state = any (${[...states]}::text[])`;
  const changed = since === undefined ? sql`true` : sql`t.updated_at >= ${since}`;
  return sql`${named} and ${inState} and ${changed}`;
}
