import { everything } from "../access/principal.ts";
import { retryWhileAway } from "../database/retry.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { queueSettings } from "../jobs/remote-jobs.ts";
import { retryPolicy } from "../pipelines/job-runner.ts";
import type { PipelineStore } from "../pipelines/pipeline-store.ts";

/** The failure queue of a queue, if it has one: its pipeline names it, or a queue for remote workers itself. */
export function failureQueues({
  pipelines,
  jobs,
}: {
  readonly pipelines: PipelineStore;
  readonly jobs: JobQueue;
}): (name: string) => Promise<string | undefined> {
  return async (name) => {
    const queue = await jobs.getQueue(name, everything).catch(() => undefined);
    if (queue !== undefined && queue.kind !== "pipeline") return queueSettings(queue.attributes).failureQueue;
    const pipeline = await pipelines.get(name, everything).catch(() => undefined);
    return pipeline?.definition.pipeline_options.failure_queue || undefined;
  };
}

/**
 * What becomes of the runs that a dead worker had in hand. Where it is known which run it was ended for (past its
 * deadline, or cancelled, without obeying), that run bears the blame and the others are merely handed back.
 * Otherwise each of them might have done it, and a crash is counted for each.
 */
export async function afterDeath(options: {
  readonly worker: string;
  readonly how: string;
  readonly jobs: JobQueue;
  readonly pipelines: PipelineStore;
  readonly crashLimit: number;
}): Promise<void> {
  const { worker, how, jobs, pipelines, crashLimit } = options;
  const runs = await retryWhileAway(() => jobs.activeRuns({ worker, viewer: everything }));
  const overdue = runs.filter((run) => run.overdueAt !== null);
  const cancelled = runs.filter((run) => run.overdueAt === null && run.cancelRequestedAt !== null);
  const others = runs.filter((run) => run.overdueAt === null && run.cancelRequestedAt === null);
  for (const run of overdue) {
    const pipeline = await pipelines.get(run.queue, everything).catch(() => undefined);
    const policy = pipeline?.definition.pipeline_options;
    await retryWhileAway(() =>
      jobs.fail({
        runId: run.id,
        error: {
          code: "pipeline_timeout",
          message: "a processor was past its time and did not stop, so its worker was ended",
        },
        ...(policy === undefined ? {} : { retry: retryPolicy(policy) }),
        failureQueue: policy?.failure_queue || undefined,
      }),
    );
  }
  for (const run of cancelled) {
    const message = "cancelled on request; its processor did not stop, so its worker was ended";
    await retryWhileAway(() => jobs.cancelled({ runId: run.id, message }));
  }
  const runIds = others.map((run) => run.id);
  if (runIds.length === 0) return;
  if (overdue.length + cancelled.length > 0) {
    await retryWhileAway(() =>
      jobs.release({ runIds, reason: "its worker was ended because of another run" }),
    );
  } else {
    await retryWhileAway(() =>
      jobs.recover({
        runIds,
        reason: { code: "worker_died", message: `its worker died (${how})` },
        crashLimit,
        failureQueueOf: failureQueues({ pipelines, jobs }),
      }),
    );
  }
}
