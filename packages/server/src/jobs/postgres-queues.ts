import { sql } from "kysely";
import type { Executor } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue, QueueInfo } from "./job-queue.ts";
import { toWaitingJob } from "./rows.ts";

export function queueNotFound(name: string): VconductorError {
  return new VconductorError("queue_not_found", `queue: ${name} not found`);
}

export async function requireQueue(db: Executor, name: string): Promise<QueueInfo> {
  const row = await db.selectFrom("vconductor.queue").selectAll().where("name", "=", name).executeTakeFirst();
  if (row === undefined) throw queueNotFound(name);
  return { name: row.name, kind: row.kind, paused: row.paused, createdAt: row.created_at };
}

/** Queues themselves, and a look at what waits in them. */
export function queueMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<
  JobQueue,
  "createQueue" | "deleteQueue" | "listQueues" | "setPaused" | "getQueue" | "listWaiting" | "cancelWaiting"
> {
  return {
    async createQueue({ name, kind = "pipeline" }) {
      const created = await database.run((db) =>
        db
          .insertInto("vconductor.queue")
          .values({ name, kind })
          .onConflict((conflict) => conflict.doNothing())
          .returning("name")
          .executeTakeFirst(),
      );
      if (created === undefined) throw new VconductorError("queue_exists", `queue: ${name} already exists`);
      events.publish({ type: "queue.created", queue: name });
    },

    async deleteQueue(name) {
      const jobs = await database.transaction(async (tx) => {
        const gone = await tx
          .deleteFrom("vconductor.queue")
          .where("name", "=", name)
          .returning("name")
          .executeTakeFirst();
        if (gone === undefined) throw queueNotFound(name);
        return await tx
          .deleteFrom("vconductor.job")
          .where("queue", "=", name)
          .where("state", "<>", "running")
          .returningAll()
          .execute();
      });
      events.publish({ type: "queue.deleted", queue: name });
      return jobs
        .filter((job) => job.state !== "failed")
        .sort((a, b) => b.priority - a.priority || a.position - b.position)
        .map(toWaitingJob);
    },

    async listQueues({ kind }) {
      const rows = await database.run((db) =>
        db.selectFrom("vconductor.queue").selectAll().where("kind", "=", kind).orderBy("name").execute(),
      );
      return rows.map((row) => ({
        name: row.name,
        kind: row.kind,
        paused: row.paused,
        createdAt: row.created_at,
      }));
    },

    async setPaused({ name, paused }) {
      const changed = await database.run((db) =>
        db
          .updateTable("vconductor.queue")
          .set({ paused })
          .where("name", "=", name)
          .returning("name")
          .executeTakeFirst(),
      );
      if (changed === undefined) throw queueNotFound(name);
      if (!paused) notifier.send(channels.jobs, name);
      events.publish({ type: paused ? "queue.paused" : "queue.resumed", queue: name });
    },

    getQueue: (name) => database.run((db) => requireQueue(db, name)),

    async listWaiting({ queue, offset, limit }) {
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.job")
          .selectAll()
          .where("queue", "=", queue)
          .where("state", "in", ["waiting", "scheduled"])
          .orderBy(sql`state = 'scheduled'`)
          .orderBy("priority", "desc")
          .orderBy("position")
          .offset(offset)
          .limit(limit)
          .execute(),
      );
      if (rows.length === 0) await database.run((db) => requireQueue(db, queue));
      return rows.map(toWaitingJob);
    },

    async cancelWaiting({ queue, jobId }) {
      const gone = await database.run((db) =>
        db
          .deleteFrom("vconductor.job")
          .where("id", "=", jobId)
          .where("queue", "=", queue)
          .where("state", "in", ["waiting", "scheduled", "failed"])
          .returning("id")
          .executeTakeFirst(),
      );
      if (gone === undefined)
        throw new VconductorError("job_not_found", `job: ${jobId} does not wait in queue: ${queue}`);
    },
  };
}
