import { own } from "../access/visible.ts";
import { channels } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { JobQueue, QueueKind } from "./job-queue.ts";
import { backToWaiting, cancelIfAsked, endRun, settleFailed } from "./postgres-endings.ts";
import { requireQueue } from "./postgres-queues.ts";
import { lockRun } from "./postgres-run-locks.ts";
import { toWaitingJob } from "./rows.ts";
import type { RunError } from "./run.ts";

/** Kinds of workers whose heartbeats come as requests. Those of others come from a server, or do without one. */
const heardOverHttp: readonly QueueKind[] = ["remote", "sisyphus", "task"];

/** What became of work that nobody finished: runs of dead workers, and jobs that failed for good. */
export function recoveryMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<JobQueue, "recover" | "listFailed" | "requeueFailed"> {
  return {
    async recover({ runIds, reachableMs, reason, crashLimit, failureQueueOf }) {
      const candidates = await database.run((db) => {
        const active = db
          .selectFrom("vconductor.run as r")
          .leftJoin("vconductor.job as j", "j.id", "r.job_id")
          .select(["r.id", "r.queue", "r.kind", "r.worker", "r.tenant", "j.crashes"])
          .where("r.finished_at", "is", null)
          .orderBy("r.id")
          .limit(1000);
        if (runIds !== undefined)
          return active.where("r.id", "in", runIds.length > 0 ? runIds : [0]).execute();
        const expired = active.where("r.lease_until", "<", (eb) => eb.fn<Date>("now"));
        if (reachableMs === undefined) return expired.execute();
        return expired
          .where((eb) => eb.or([eb("r.kind", "not in", heardOverHttp), eb("r.lease_ms", "<=", reachableMs)]))
          .execute();
      });
      const suspects = begun(candidates);
      const recovered: number[] = [];
      for (const { id, queue, tenant } of candidates) {
        const failureQueue = await failureQueueOf(queue);
        const outcome = await database.transaction(async (tx) => {
          // A heartbeat or the end of the run may have come in between.
          const run = await lockRun(tx, id, { expired: runIds === undefined });
          if (run === undefined) return undefined;
          if (await cancelIfAsked(tx, run, `cancelled on request; ${reason.message}`)) {
            return "cancelled" as const;
          }
          if (!suspects.has(id)) {
            const message = `${reason.message}; it had not begun yet`;
            await endRun(tx, { runId: id, outcome: "released", error: { ...reason, message } });
            await backToWaiting(tx, { jobId: run.job_id, crashes: 0 });
            return "released" as const;
          }
          await endRun(tx, { runId: id, outcome: "crashed", error: reason });
          const job = await tx
            .selectFrom("vconductor.job")
            .select("crashes")
            .where("id", "=", run.job_id)
            .executeTakeFirst();
          const crashes = (job?.crashes ?? 0) + 1;
          await backToWaiting(tx, { jobId: run.job_id, crashes: 1 });
          // What is kept elsewhere too (by the ledger, Sisyphus, Celery's broker) waits again, however often: its history
          // says so, and somebody may take it off.
          const isLimited = run.kind === "pipeline" || run.kind === "remote";
          if (crashes >= crashLimit && isLimited) {
            const error: RunError = {
              code: reason.code,
              message: `its worker died ${crashes} times with this job in hand; last: ${reason.message}`,
            };
            await settleFailed(tx, { runId: id, jobId: run.job_id, error, failureQueue });
          }
          return "crashed" as const;
        });
        if (outcome === undefined) continue;
        recovered.push(id);
        events.publish({ type: "run.finished", run: id, queue, outcome, tenant });
        notifier.send(channels.jobs, queue);
        if (failureQueue) notifier.send(channels.jobs, failureQueue);
      }
      return recovered;
    },

    async listFailed({ queue, after, limit, viewer }) {
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.job")
          .selectAll()
          .where("queue", "=", queue)
          .where("state", "=", "failed")
          .where("last_run", ">", after)
          .where(own(viewer))
          .orderBy("last_run")
          .limit(limit)
          .execute(),
      );
      if (rows.length === 0) await database.run((db) => requireQueue(db, { name: queue, viewer }));
      return rows.map(toWaitingJob);
    },

    async requeueFailed({ queue, runId, viewer }) {
      await database.transaction(async (tx) => {
        await requireQueue(tx, { name: queue, viewer });
        const job = await tx
          .updateTable("vconductor.job")
          .set((eb) => ({
            state: "waiting",
            attempts: 0,
            crashes: 0,
            error: null,
            run_after: null,
            position: eb.fn<number>("nextval", [eb.val("vconductor.job_position")]),
          }))
          .where("queue", "=", queue)
          .where("state", "=", "failed")
          .where("last_run", "=", runId)
          .where(own(viewer))
          .returning("id")
          .executeTakeFirst();
        if (job === undefined) {
          throw new VconductorError(
            "run_not_found",
            `run: ${runId} is not the last run of a failed job in ${queue}`,
          );
        }
      });
      notifier.send(channels.jobs, queue);
    },
  };
}

interface Candidate {
  readonly id: number;
  readonly kind: string;
  readonly worker: string;
  readonly crashes: number | null;
}

/**
 * Which of the runs of dead workers had begun. A pipeline worker begins them in the order of their ids, but one whose job
 * has crashed before runs alone: it waits for those before it, and those behind wait for it. What merely waited is not to
 * blame, however often it waits behind a job that kills its worker. Other workers begin what they have when they like.
 */
function begun(runs: readonly Candidate[]): ReadonlySet<number> {
  const found = new Set(runs.filter(({ kind }) => kind !== "pipeline").map(({ id }) => id));
  const ofPipelines = runs.filter(({ kind }) => kind === "pipeline");
  for (const ofWorker of Map.groupBy(ofPipelines, (run) => run.worker).values()) {
    const alone = ofWorker.findIndex((run) => (run.crashes ?? 0) > 0);
    const together = alone < 0 ? ofWorker : ofWorker.slice(0, Math.max(1, alone));
    for (const run of together) found.add(run.id);
  }
  return found;
}
