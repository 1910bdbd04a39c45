import { type Selectable, sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { own } from "../access/visible.ts";
import { afterCommit, type Transaction } from "../database/database.ts";
import { channels } from "../database/notifier.ts";
import type { JobTable, RunTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { JobContext } from "./context.ts";
import type { FinishedRun, FinishVerdict, JobQueue } from "./job-queue.ts";
import { runNotActive } from "./postgres-claim.ts";
import { insertJobs } from "./postgres-enqueue.ts";
import { queueNotFound } from "./postgres-queues.ts";
import { lockActive, lockRun } from "./postgres-run-locks.ts";
import type { RunError, RunOutcome } from "./run.ts";

/** The ways in which a run ends. Each ends it, frees its locks and moves its job in one transaction. */
export function endingMethods({
  database,
  notifier,
  events,
}: JobContext): Pick<
  JobQueue,
  "finish" | "fail" | "release" | "requeueRun" | "removeRun" | "requestCancel" | "cancelled"
> {
  const tell = (
    { id: run, queue, tenant }: Pick<Selectable<RunTable>, "id" | "queue" | "tenant">,
    outcome: RunOutcome,
  ) => {
    events.publish({ type: "run.finished", run, queue, outcome, tenant });
    // The vCons that the run held are free: jobs that waited for them can go, in whichever queue they are.
    notifier.send(channels.jobs, queue);
  };

  /** Ends a run for an operator; whoever works on it is told to stop. */
  const takeOff = async (
    runId: number,
    {
      viewer,
      outcome,
      message,
    }: {
      readonly viewer: Viewer;
      readonly outcome: "requeued" | "cancelled";
      readonly message: string;
    },
  ) => {
    const run = await database.transaction(async (tx) => {
      const active = await lockRun(tx, runId);
      const seen = viewer.all || active?.tenant === viewer.tenant;
      if (active === undefined || !seen)
        throw new VconductorError("run_not_found", `job: ${runId} not found`);
      if (outcome === "requeued") {
        const queue = await tx
          .selectFrom("vconductor.queue")
          .select("name")
          .where("name", "=", active.queue)
          .forKeyShare()
          .executeTakeFirst();
        if (queue === undefined) {
          throw new VconductorError(
            "queue_not_found",
            `requeue_in_progress_job(${runId}): queue: ${active.queue} does not exist`,
          );
        }
      }
      await endRun(tx, { runId, outcome, error: { code: outcome, message } });
      if (outcome === "requeued") await toFront(tx, active.job_id);
      else await tx.deleteFrom("vconductor.job").where("id", "=", active.job_id).execute();
      return active;
    });
    notifier.send(channels.cancel, runId);
    tell(run, outcome);
  };

  return {
    finish: (tx, runs) => finish(tx, runs),

    async fail({ runId, error, retry, failureQueue }) {
      const ended = await database.transaction(async (tx) => {
        const run = await lockRun(tx, runId);
        if (run === undefined) return undefined;
        if (await cancelIfAsked(tx, run)) return { outcome: "cancelled" as const, run };
        const outcome =
          retry !== undefined && run.attempt <= retry.limit ? ("retry" as const) : ("failed" as const);
        await endRun(tx, { runId, outcome, error });
        if (outcome === "retry" && retry !== undefined) {
          const delay = retry.backoff ? retry.delayMs * 2 ** (run.attempt - 1) : retry.delayMs;
          await schedule(tx, { jobId: run.job_id, delayMs: delay, error });
        } else {
          await settleFailed(tx, { runId, jobId: run.job_id, error, failureQueue });
        }
        return { outcome, run };
      });
      if (ended === undefined) return undefined;
      tell(ended.run, ended.outcome);
      if (failureQueue) notifier.send(channels.jobs, failureQueue);
      return ended.outcome;
    },

    async release({ runIds, reason }) {
      const outcomes: ("released" | "cancelled" | undefined)[] = [];
      for (const runId of runIds) {
        const ended = await database.transaction(async (tx) => {
          const run = await lockRun(tx, runId);
          if (run === undefined) return undefined;
          if (await cancelIfAsked(tx, run)) return { outcome: "cancelled" as const, run };
          await endRun(tx, { runId, outcome: "released", error: { code: "released", message: reason } });
          await backToWaiting(tx, { jobId: run.job_id, crashes: 0 });
          return { outcome: "released" as const, run };
        });
        if (ended !== undefined) tell(ended.run, ended.outcome);
        outcomes.push(ended?.outcome);
      }
      return outcomes;
    },

    requeueRun: (runId, viewer) =>
      takeOff(runId, {
        viewer,
        outcome: "requeued",
        message: "put back to the front of its queue by an operator",
      }),
    removeRun: (runId, viewer) =>
      takeOff(runId, { viewer, outcome: "cancelled", message: "removed by an operator" }),

    async requestCancel(runId, viewer) {
      const run = await database.run((db) =>
        db
          .updateTable("vconductor.run")
          .set({ cancel_requested_at: sql<Date>`coalesce(cancel_requested_at, now())` })
          .where("id", "=", runId)
          .where("finished_at", "is", null)
          .where(own(viewer))
          .returning("id")
          .executeTakeFirst(),
      );
      if (run === undefined) {
        const known = await database.run((db) =>
          db
            .selectFrom("vconductor.run")
            .select(["queue", "job_id", "outcome"])
            .where("id", "=", runId)
            .where(own(viewer))
            .executeTakeFirst(),
        );
        if (known === undefined) throw new VconductorError("run_not_found", `run: ${runId} not found`);
        if (known.outcome !== "suspended") throw runNotActive(runId);
        const text = `run: ${runId} has ended as suspended; if its job still waits, DELETE /queue/${known.queue}/job/${known.job_id} cancels it`;
        throw new VconductorError("run_not_active", text);
      }
      notifier.send(channels.cancel, runId);
    },

    async cancelled({ runId, message }) {
      const run = await database.transaction(async (tx) => {
        const active = await lockRun(tx, runId);
        if (active !== undefined) await endAsCancelled(tx, active, message);
        return active;
      });
      if (run !== undefined) tell(run, "cancelled");
      return run !== undefined;
    },
  };

  async function finish(tx: Transaction, runs: readonly FinishedRun[]): Promise<readonly FinishVerdict[]> {
    const given = JSON.stringify(runs.map((run) => ({ id: run.runId, result: run.result ?? null })));
    // Arrays, not joins: the planner takes a handful of rows for hundreds, and would read the whole table of jobs.
    const { rows } = await sql<{ id: number; queue: string; tenant: string }>`
      with given as (select * from jsonb_to_recordset(${given}::jsonb) as g (id bigint, result jsonb)),
      locked as (${lockActive(
        runs.map((run) => run.runId),
        "update",
      )}),
      ended as (
        update vconductor.run r set finished_at = now(), outcome = 'done', progress = 100, result = given.result
        from locked join given on given.id = locked.id where r.id = locked.id
        returning r.id, r.job_id, r.queue, r.tenant
      ),
      gone as (delete from vconductor.job where id = any (array(select job_id from ended))),
      unlocked as (delete from vconductor.vcon_lock where run_id = any (array(select id from ended)))
      select id, queue, tenant from ended`.execute(tx);
    const ended = new Set(rows.map((row) => row.id));
    const followUps = runs.filter((run) => ended.has(run.runId)).flatMap((run) => run.followUps);
    if (followUps.length > 0) {
      const ids = await insertJobs(tx, followUps);
      const missing = followUps.find((_, index) => ids[index] === undefined);
      if (missing !== undefined) throw queueNotFound(missing.queue);
    }
    afterCommit(tx, () => {
      for (const row of rows) tell(row, "done");
      for (const queue of new Set(followUps.map((job) => job.queue))) notifier.send(channels.jobs, queue);
    });
    if (ended.size === runs.length) return runs.map(() => "finished");
    const others = await tx
      .selectFrom("vconductor.run")
      .select(["id", "outcome"])
      .where(
        "id",
        "in",
        runs.map((run) => run.runId).filter((id) => !ended.has(id)),
      )
      .execute();
    const done = new Set(others.filter((row) => row.outcome === "done").map((row) => row.id));
    return runs.map((run) => (ended.has(run.runId) ? "finished" : done.has(run.runId) ? "already" : "lost"));
  }
}

export async function endRun(
  tx: Transaction,
  options: { readonly runId: number; readonly outcome: RunOutcome; readonly error: RunError },
): Promise<void> {
  await tx
    .updateTable("vconductor.run")
    .set({ finished_at: sql<Date>`now()`, outcome: options.outcome, error: JSON.stringify(options.error) })
    .where("id", "=", options.runId)
    .execute();
  await tx.deleteFrom("vconductor.vcon_lock").where("run_id", "=", options.runId).execute();
}

/**
 * Whoever gives up a run that was to be cancelled ends it as cancelled; only work that was done is done. To be called with
 * the run locked, so that nobody asks for it in between. @returns whether it was to be
 */
export async function cancelIfAsked(
  tx: Transaction,
  run: Selectable<RunTable>,
  message = "cancelled on request",
): Promise<boolean> {
  if (run.cancel_requested_at === null) return false;
  await endAsCancelled(tx, run, message);
  return true;
}

async function endAsCancelled(tx: Transaction, run: Selectable<RunTable>, message: string): Promise<void> {
  await endRun(tx, { runId: run.id, outcome: "cancelled", error: { code: "run_cancelled", message } });
  await tx.deleteFrom("vconductor.job").where("id", "=", run.job_id).execute();
}

/** The job waits again at its old place; the attempt that was cut short does not count. */
export async function backToWaiting(
  tx: Transaction,
  options: { readonly jobId: number; readonly crashes: number },
): Promise<void> {
  await tx
    .updateTable("vconductor.job")
    .set((eb) => ({
      state: "waiting",
      attempts: eb("attempts", "-", 1),
      crashes: eb("crashes", "+", options.crashes),
    }))
    .where("id", "=", options.jobId)
    .execute();
}

async function toFront(tx: Transaction, jobId: number): Promise<void> {
  await tx
    .updateTable("vconductor.job")
    .set((eb) => ({
      state: "waiting",
      attempts: eb("attempts", "-", 1),
      position: sql<number>`-nextval('vconductor.job_position')`,
    }))
    .where("id", "=", jobId)
    .execute();
}

async function schedule(
  tx: Transaction,
  options: { readonly jobId: number; readonly delayMs: number; readonly error: RunError },
): Promise<void> {
  await tx
    .updateTable("vconductor.job")
    .set({
      state: options.delayMs > 0 ? "scheduled" : "waiting",
      run_after:
        options.delayMs > 0 ? sql<Date>`now() + ${options.delayMs} * interval '1 ms'` : sql<Date>`now()`,
      error: JSON.stringify(options.error),
    })
    .where("id", "=", options.jobId)
    .execute();
}

/** A job with no attempt left: a copy with the reason goes to the failure queue, else it stays listed as failed. */
export async function settleFailed(
  tx: Transaction,
  options: {
    readonly runId: number;
    readonly jobId: number;
    readonly error: RunError;
    readonly failureQueue: string | undefined;
  },
): Promise<void> {
  const job = await tx
    .updateTable("vconductor.job")
    .set({ state: "failed", error: JSON.stringify(options.error), unique_key: null })
    .where("id", "=", options.jobId)
    .returningAll()
    .executeTakeFirst();
  if (job === undefined || !options.failureQueue) return;
  const [moved] = await insertJobs(tx, [failureJob(job, { ...options, queue: options.failureQueue })]);
  if (moved !== undefined) {
    await tx.deleteFrom("vconductor.job").where("id", "=", options.jobId).execute();
  }
}

function failureJob(
  job: Selectable<JobTable>,
  options: { readonly queue: string; readonly runId: number; readonly error: RunError },
) {
  return {
    queue: options.queue,
    jobType: job.job_type,
    vconUuids: job.vcon_uuids,
    fromQueue: job.queue,
    originRun: options.runId,
    payload: job.payload,
    error: options.error,
    principal: job.principal ?? undefined,
  };
}
