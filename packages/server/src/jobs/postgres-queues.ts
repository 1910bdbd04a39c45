import { type Selectable, sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { own, usable } from "../access/visible.ts";
import type { Executor } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import type { Tables } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue, QueueInfo } from "./job-queue.ts";
import { toWaitingJob } from "./rows.ts";

export function queueNotFound(name: string): VconductorError {
  return new VconductorError("queue_not_found", `queue: ${name} not found`);
}

/** @throws queue_not_found the viewer may use no such queue */
export async function requireQueue(
  db: Executor,
  { name, viewer }: { readonly name: string; readonly viewer: Viewer },
): Promise<QueueInfo> {
  const row = await db
    .selectFrom("vconductor.queue")
    .selectAll()
    .where("name", "=", name)
    .where(usable(viewer))
    .executeTakeFirst();
  if (row === undefined) throw queueNotFound(name);
  return toQueue(row);
}

function toQueue(row: Selectable<Tables["vconductor.queue"]>): QueueInfo {
  const { name, kind, paused, attributes, created_at: createdAt } = row;
  return { name, kind, paused, attributes, createdAt };
}

/** What became of no row: the viewer may use the queue, but it is another tenant's; or there is none. */
async function refusal(
  db: Executor,
  options: { readonly name: string; readonly viewer: Viewer },
): Promise<VconductorError> {
  await requireQueue(db, options);
  return new VconductorError("forbidden", `queue: ${options.name} is another tenant's`);
}

/** Queues themselves, and a look at what waits in them. */
export function queueMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<
  JobQueue,
  | "createQueue"
  | "deleteQueue"
  | "clearQueue"
  | "listQueues"
  | "changeQueue"
  | "getQueue"
  | "listWaiting"
  | "cancelWaiting"
> {
  return {
    async createQueue({ name, kind = "pipeline", viewer: { tenant } }) {
      const created = await database.run((db) =>
        db
          .insertInto("vconductor.queue")
          .values({ name, kind, tenant })
          .onConflict((conflict) => conflict.doNothing())
          .returning("name")
          .executeTakeFirst(),
      );
      if (created === undefined) throw new VconductorError("queue_exists", `queue: ${name} already exists`);
      events.publish({ type: "queue.created", queue: name, tenant });
    },

    async deleteQueue({ name, viewer }) {
      const { jobs, tenant } = await database.transaction(async (tx) => {
        const gone = await tx
          .deleteFrom("vconductor.queue")
          .where("name", "=", name)
          .where(own(viewer))
          .returning("tenant")
          .executeTakeFirst();
        if (gone === undefined) throw await refusal(tx, { name, viewer });
        const jobs = await tx
          .deleteFrom("vconductor.job")
          .where("queue", "=", name)
          .where("state", "<>", "running")
          .returningAll()
          .execute();
        return { jobs, tenant: gone.tenant };
      });
      events.publish({ type: "queue.deleted", queue: name, tenant });
      return jobs
        .filter((job) => job.state !== "failed" && (viewer.all || job.tenant === viewer.tenant))
        .sort((a, b) => b.priority - a.priority || a.position - b.position)
        .map(toWaitingJob);
    },

    async clearQueue({ name, viewer }) {
      await database.run(async (db) => {
        await requireQueue(db, { name, viewer });
        await db
          .deleteFrom("vconductor.job")
          .where("queue", "=", name)
          .where("state", "<>", "running")
          .where(own(viewer))
          .execute();
      });
    },

    async listQueues({ kind, viewer }) {
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.queue")
          .selectAll()
          .where("kind", "=", kind)
          .where(usable(viewer))
          .orderBy("name")
          .execute(),
      );
      return rows.map(toQueue);
    },

    async changeQueue({ name, paused, attributes = {}, viewer }) {
      const changed = await database.run((db) =>
        db
          .updateTable("vconductor.queue")
          .set((eb) => ({
            paused: paused ?? eb.ref("paused"),
            attributes: sql<string>`attributes || ${JSON.stringify(attributes)}::jsonb`,
          }))
          .where("name", "=", name)
          .where(own(viewer))
          .returning("tenant")
          .executeTakeFirst(),
      );
      if (changed === undefined) throw await database.run((db) => refusal(db, { name, viewer }));
      if (paused === undefined) return;
      if (!paused) notifier.send(channels.jobs, name);
      events.publish({ type: paused ? "queue.paused" : "queue.resumed", queue: name, ...changed });
    },

    getQueue: (name, viewer) => database.run((db) => requireQueue(db, { name, viewer })),

    async listWaiting({ queue, offset, limit, viewer }) {
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.job")
          .selectAll()
          .where("queue", "=", queue)
          .where("state", "in", ["waiting", "scheduled", "suspended"])
          .where(own(viewer))
          .orderBy(sql`state <> 'waiting'`)
          .orderBy("priority", "desc")
          .orderBy("position")
          .offset(offset)
          .limit(limit)
          .execute(),
      );
      if (rows.length === 0) await database.run((db) => requireQueue(db, { name: queue, viewer }));
      return rows.map(toWaitingJob);
    },

    async cancelWaiting({ queue, jobId, viewer }) {
      const gone = await database.run((db) =>
        db
          .deleteFrom("vconductor.job")
          .where("id", "=", jobId)
          .where("queue", "=", queue)
          .where("state", "in", ["waiting", "scheduled", "suspended", "failed"])
          .where(own(viewer))
          .returning("id")
          .executeTakeFirst(),
      );
      if (gone === undefined)
        throw new VconductorError("job_not_found", `job: ${jobId} does not wait in queue: ${queue}`);
    },
  };
}
