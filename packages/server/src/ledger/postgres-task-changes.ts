import { sql } from "kysely";
import { everything } from "../access/principal.ts";
import type { Transaction } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import { percentOf } from "../jobs/run.ts";
import type { Ledger, TaskKey } from "./ledger.ts";
import { jobOf, type LedgerOptions, queueOf } from "./ledger-options.ts";
import { type TaskRow, taskRow, toTask } from "./task-rows.ts";

/** So often a change begins anew because another one came first. Each time that one was done, so it is not for ever. */
const mostRounds = 100;

/** Changing tasks: by whoever works on them, or knows better. */
export function taskChanges({
  database,
  jobs,
  remoteJobs,
}: LedgerOptions): Pick<Ledger, "update" | "report"> {
  const by = { kind: "task", viewer: everything } as const;

  /**
   * Does `work` in a transaction that has the task locked, and with it its run, or its job that waits.
   *
   * The engine locks the run before the task when a run ends, and the job before the task when it is claimed; so does this.
   * What to lock is known only from a look without a lock: where the task has changed by the time that it is locked, the
   * transaction ends, which frees everything, and another begins. So nobody waits for a run or a job while it holds a task.
   */
  const changing = async <Result>(
    key: TaskKey,
    work: (tx: Transaction, task: TaskRow) => Promise<Result>,
  ): Promise<Result> => {
    for (let round = 0; round < mostRounds; round += 1) {
      const done = await database.transaction(async (tx) => {
        const task = await lock(tx, key);
        return task === undefined ? undefined : { result: await work(tx, task) };
      });
      if (done !== undefined) return done.result;
    }
    throw new VconductorError("conflict", "The task is being changed by too many at once; try again");
  };

  return {
    async update({ state, progress, message, claim, by: token, ...key }) {
      return await changing(key, async (tx, before) => {
        requireClaim(before, claim);
        const works = isWorkedOn(state);
        const runId = works ? before.run_id : null;
        // Whoever makes it PENDING takes it from the one who had it, and work on it begins anew.
        const earlier = state === "PENDING" ? { claim: null, progress: null } : before;
        const said = message ?? (works ? before.message : null);
        await sql`
          with t as (
            update vconductor.task set state = ${state}, run_id = ${runId}::bigint, claim = ${earlier.claim}::bigint,
              lease_ms = ${runId === null ? null : before.lease_ms}::bigint, updated_at = now(),
              progress = ${percentOf(progress) ?? earlier.progress}::smallint, message = ${said}
            where id = ${before.id}
          )
          insert into vconductor.task_event (task_id, change, message, token_id)
          values (${before.id}, ${`Task changed, new status ${state}`}, ${message ?? null}, ${token.id ?? null}::bigint)`.execute(
          tx,
        );
        if (runId !== null) {
          const leaseMs = before.lease_ms ?? undefined;
          await remoteJobs.heartbeatIn(tx, { runId, by, leaseMs, progress, message });
        } else if (before.run_id !== null) await endRun(tx, before.run_id, { state, message });
        else if (state === "PENDING" && before.state !== "PENDING") await jobs.enqueueIn(tx, [jobOf(before)]);
        else if (state !== "PENDING" && before.state === "PENDING") {
          await remoteJobs.withdrawIn(tx, { queue: queueOf(key.pipeline), uniqueKey: String(before.id) });
        }
        return toTask(await taskRow(tx, key));
      });
    },

    async report({ leaseMs, progress, message, claim, by: token, ...key }) {
      return await changing(key, async (tx, { id, run_id: runId, ...before }) => {
        if (!isWorkedOn(before.state)) {
          throw new VconductorError("run_not_active", `Nobody works on the task: it is ${before.state}`);
        }
        requireClaim(before, claim);
        if (claim === undefined && before.lease_ms !== null && before.claimed_by !== token.id) {
          throw new VconductorError("run_not_active", "The task is claimed with another token, for a time");
        }
        const lease = leaseMs ?? before.lease_ms ?? undefined;
        if (runId !== null)
          await remoteJobs.heartbeatIn(tx, { runId, by, leaseMs: lease, progress, message });
        // Without a claim there is nothing that could run out.
        await sql`update vconductor.task set progress = coalesce(${percentOf(progress)}::smallint, progress),
          message = coalesce(${message ?? null}, message),
          lease_ms = case when run_id is not null then ${lease ?? null}::bigint end
          where id = ${id}`.execute(tx);
        return toTask(await taskRow(tx, key));
      });
    },
  };

  async function endRun(
    tx: Transaction,
    runId: number,
    { state, message }: { readonly state: string; readonly message: string | undefined },
  ): Promise<void> {
    const reason = message ?? `the task is ${state}`;
    if (state === "DONE") await jobs.finish(tx, [{ runId, followUps: [] }]);
    else {
      const outcome = state === "PENDING" ? "released" : state === "FAILED" ? "failed" : "cancelled";
      await remoteJobs.settleIn(tx, { runId, outcome, reason });
    }
  }
}

function isWorkedOn(state: string): boolean {
  return state === "CLAIMED" || state === "RUNNING";
}

/** @throws run_not_active the claim is named, and has passed on */
function requireClaim(task: Pick<TaskRow, "claim">, claim: number | undefined): void {
  if (claim === undefined || claim === task.claim) return;
  throw new VconductorError("run_not_active", `The claim ${claim} has passed on`);
}

/** Undefined: it has changed, or is being claimed, since it was looked at. @throws not_found */
async function lock(tx: Transaction, key: TaskKey): Promise<TaskRow | undefined> {
  const seen = await taskRow(tx, key, "Task to be modified could not be found");
  if (seen.run_id !== null) {
    await sql`select from vconductor.run where id = ${seen.run_id} for update`.execute(tx);
  } else if (seen.state === "PENDING") {
    // The states are those of the index, so that it is used.
    const waiting = await sql`select from vconductor.job
      where queue = ${queueOf(key.pipeline)} and unique_key = ${String(seen.id)} and state in ('waiting', 'scheduled')
      for update`.execute(tx);
    if (waiting.rows.length === 0) return undefined;
  }
  await sql`select from vconductor.task where id = ${seen.id} for update`.execute(tx);
  const locked = await taskRow(tx, key);
  return locked.run_id === seen.run_id && locked.state === seen.state ? locked : undefined;
}
