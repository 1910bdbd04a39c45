import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { channels, type Notifier } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { ServerRegistry, ServerState, TendedQueue } from "./server-registry.ts";

interface Row {
  readonly key: string;
  readonly state: Omit<ServerState, "last_heartbeat">;
  readonly last_heartbeat: number;
  readonly dead: boolean;
}

/** @param options.deadAfterMs how old a heartbeat may be before its server counts as dead. Default: 30000 */
export function postgresServerRegistry(options: {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly deadAfterMs?: number;
}): ServerRegistry {
  const { database, notifier } = options;
  const deadAfterMs = options.deadAfterMs ?? 30_000;

  const rows = async (key: string | undefined) =>
    (
      await database.run((db) =>
        sql<Row>`
          select key, state, extract(epoch from last_heartbeat)::float8 as last_heartbeat,
            last_heartbeat < now() - ${deadAfterMs} * interval '1 ms' as dead
          from vconductor.server where ${key ?? null}::text is null or key = ${key ?? null} order by key`.execute(
          db,
        ),
      )
    ).rows;

  const show = (row: Row): ServerState => ({
    ...row.state,
    state: row.dead ? "dead" : row.state.state,
    last_heartbeat: row.last_heartbeat,
  });

  return {
    async report({ key, address, state }) {
      await database.run((db) =>
        db
          .insertInto("vconductor.server")
          .values({ key, address, state: JSON.stringify(state) })
          .onConflict((conflict) =>
            conflict
              .column("key")
              .doUpdateSet({ state: JSON.stringify(state), last_heartbeat: sql<Date>`now()` }),
          )
          .execute(),
      );
    },

    async heartbeat(key) {
      const row = await database.run((db) =>
        db
          .updateTable("vconductor.server")
          .set({ last_heartbeat: sql<Date>`now()` })
          .where("key", "=", key)
          .returning("key")
          .executeTakeFirst(),
      );
      return row !== undefined;
    },

    async list() {
      return Object.fromEntries((await rows(undefined)).map((row) => [row.key, show(row)]));
    },

    async get(key) {
      const [row] = await rows(key);
      return row === undefined ? undefined : show(row);
    },

    async remove(key) {
      const gone = await database.run((db) =>
        db.deleteFrom("vconductor.server").where("key", "=", key).returning("key").executeTakeFirst(),
      );
      if (gone === undefined)
        throw new VconductorError("server_not_found", `server state for: ${key} not found`);
    },

    async purge() {
      await database.run((db) =>
        sql`
          delete from vconductor.server s
          where s.last_heartbeat < now() - interval '1 day'
            or (s.last_heartbeat < now() - ${deadAfterMs} * interval '1 ms' and exists (
              select 1 from vconductor.server alive
              where alive.address = s.address and alive.last_heartbeat > s.last_heartbeat))`.execute(db),
      );
    },

    async tended(address) {
      const { rows: found } = await database.run((db) =>
        sql<TendedQueue>`
          select queue, weight from vconductor.server_queue
          where address = ${address} and weight is not null order by position`.execute(db),
      );
      return found;
    },

    async tend({ address, queue, weight }) {
      await database.run((db) =>
        db
          .insertInto("vconductor.server_queue")
          .values({ address, queue, weight, configured_weight: null })
          .onConflict((conflict) => conflict.columns(["address", "queue"]).doUpdateSet({ weight }))
          .execute(),
      );
      notifier.send(channels.jobs, queue);
    },

    async untend({ address, queue }) {
      const changed = await database.run((db) =>
        db
          .updateTable("vconductor.server_queue")
          .set({ weight: null })
          .where("address", "=", address)
          .where("queue", "=", queue)
          .where("weight", "is not", null)
          .returning("queue")
          .executeTakeFirst(),
      );
      if (changed === undefined) throw new VconductorError("queue_not_found", `queue: ${queue} not found`);
      notifier.send(channels.jobs, queue);
    },

    async configure({ address, queues }) {
      await database.transaction(async (tx) => {
        await sql`
          delete from vconductor.server_queue
          where address = ${address} and configured_weight is not null
            and weight is not distinct from configured_weight
            and not queue = any (${queues.map((one) => one.queue)}::text[])`.execute(tx);
        for (const { queue, weight } of queues) {
          await sql`
            insert into vconductor.server_queue (address, queue, weight, configured_weight)
            values (${address}, ${queue}, ${weight}, ${weight})
            on conflict (address, queue) do update set
              weight = case when server_queue.configured_weight is distinct from excluded.configured_weight
                then excluded.weight else server_queue.weight end,
              configured_weight = excluded.configured_weight`.execute(tx);
        }
      });
    },
  };
}
