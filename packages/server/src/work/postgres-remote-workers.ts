import { type Selectable, sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { own } from "../access/visible.ts";
import type { Database, Executor } from "../database/database.ts";
import type { RemoteWorkerTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { RemoteKind } from "../jobs/remote-jobs.ts";
import type { RemoteWorker, RemoteWorkers } from "./remote-workers.ts";

type Named = Parameters<RemoteWorkers["isDisabled"]>[0];

/** A worker that says nothing new is noted so often at most, by each process. */
const noteEveryMs = 2000;
const mostRemembered = 10_000;

/** Remote workers in PostgreSQL. @param database of the queues */
export function postgresRemoteWorkers(database: Database): RemoteWorkers {
  const noted = new Map<string, number>();
  const keyOf = ({ tenant, face, id }: Named) => JSON.stringify([tenant, face, id]);

  return {
    async note({ face, id, viewer, status, queue }) {
      const key = keyOf({ tenant: viewer.tenant, face, id });
      if (status === undefined && Date.now() - (noted.get(key) ?? 0) < noteEveryMs) return;
      if (noted.size >= mostRemembered) noted.clear();
      noted.set(key, Date.now());
      const told = status === undefined ? null : JSON.stringify(status);
      await database.run((db) =>
        sql`insert into vconductor.remote_worker as w (tenant, face, id, status, queue, last_seen)
          values (${viewer.tenant}, ${face}, ${id}, ${told}::jsonb, ${queue ?? null}, now())
          on conflict (tenant, face, id) do update
          set last_seen = now(), status = coalesce(excluded.status, w.status),
            queue = coalesce(excluded.queue, w.queue)`.execute(db),
      );
    },

    async count({ queue }) {
      const { rows } = await database.run((db) =>
        sql<{ count: number }>`select count(*) as count from (
          select id from vconductor.remote_worker
          where queue = ${queue} and not disabled and last_seen > now() - interval '2 minutes'
          union select worker from vconductor.run where queue = ${queue} and finished_at is null) at_work`.execute(
          db,
        ),
      );
      return rows[0]?.count ?? 0;
    },

    async isDisabled(named) {
      const row = await database.run((db) =>
        db
          .selectFrom("vconductor.remote_worker")
          .select("disabled")
          .where("tenant", "=", named.tenant)
          .where("face", "=", named.face)
          .where("id", "=", named.id)
          .executeTakeFirst(),
      );
      if (row === undefined) noted.delete(keyOf(named));
      return row?.disabled ?? false;
    },

    async list({ face, viewer }) {
      const rows = await database.run((db) =>
        heardOf(db, { face, viewer })
          .orderBy(sql`last_seen desc nulls last`)
          .orderBy("id")
          .limit(1000)
          .execute(),
      );
      return rows.map(toWorker);
    },

    async get({ face, id, viewer }) {
      const row = await database.run((db) =>
        heardOf(db, { face, viewer })
          .where("id", "=", id)
          .orderBy(sql`tenant <> ${viewer.tenant}`)
          .limit(1)
          .executeTakeFirst(),
      );
      if (row === undefined) throw notFound(id);
      return toWorker(row);
    },

    async setDisabled({ face, id, tenant, disabled }) {
      const row = await database.run((db) =>
        db
          .insertInto("vconductor.remote_worker")
          .values({ tenant, face, id, disabled, last_seen: null, status: null, queue: null })
          .onConflict((conflict) => conflict.columns(["tenant", "face", "id"]).doUpdateSet({ disabled }))
          .returningAll()
          .executeTakeFirstOrThrow(),
      );
      return toWorker(row);
    },

    async forget({ face, id, tenant }) {
      const gone = await database.run((db) =>
        db
          .deleteFrom("vconductor.remote_worker")
          .where("face", "=", face)
          .where("id", "=", id)
          .where("tenant", "=", tenant)
          .returning("id")
          .executeTakeFirst(),
      );
      if (gone === undefined) throw notFound(id);
      noted.delete(keyOf({ tenant, face, id }));
    },

    async forgetStatus({ face, id, tenant }) {
      const gone = await database.run((db) =>
        db
          .updateTable("vconductor.remote_worker")
          .set({ status: null, last_seen: null })
          .where("face", "=", face)
          .where("id", "=", id)
          .where("last_seen", "is not", null)
          .where("tenant", "=", tenant)
          .returning("id")
          .executeTakeFirst(),
      );
      if (gone === undefined) throw notFound(id);
    },

    async purge({ olderThanDays }) {
      await database.run((db) =>
        sql`delete from vconductor.remote_worker where not disabled
          and coalesce(last_seen, first_seen) < now() - ${olderThanDays} * interval '1 day'`.execute(db),
      );
    },
  };
}

/** The workers that somebody sees. One at work is heard of through the heartbeats of its runs. */
function heardOf(db: Executor, { face, viewer }: { readonly face: RemoteKind; readonly viewer: Viewer }) {
  return db
    .selectFrom("vconductor.remote_worker as w")
    .leftJoin(
      (runs) =>
        runs
          .selectFrom("vconductor.run")
          .select((eb) => ["worker", eb.fn.max("heartbeat_at").as("heartbeat_at")])
          .where("finished_at", "is", null)
          .where("kind", "=", face)
          .where(own(viewer))
          .groupBy("worker")
          .as("r"),
      (join) => join.onRef("r.worker", "=", "w.id"),
    )
    .select(["id", "tenant", "disabled", "status", "first_seen"])
    .select(
      sql<Date | null>`case when w.last_seen is not null then greatest(w.last_seen, r.heartbeat_at) end`.as(
        "last_seen",
      ),
    )
    .where("face", "=", face)
    .where(own(viewer));
}

function notFound(id: string): VconductorError {
  return new VconductorError("not_found", `worker: ${id} not found`);
}

function toWorker(
  row: Pick<
    Selectable<RemoteWorkerTable>,
    "id" | "tenant" | "disabled" | "status" | "first_seen" | "last_seen"
  >,
): RemoteWorker {
  const { id, tenant, disabled, status } = row;
  return { id, tenant, disabled, status, firstSeen: row.first_seen, lastSeen: row.last_seen };
}
