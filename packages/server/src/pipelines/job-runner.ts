import { setTimeout as sleep } from "node:timers/promises";
import { readVcon } from "@vconductor/vcon";
import type { Logger } from "pino";
import type { AuditEntry, AuditTrail } from "../access/audit/audit-trail.ts";
import { anonymous } from "../access/principal.ts";
import { retryWhileAway } from "../database/retry.ts";
import { VconductorError } from "../errors.ts";
import type { ClaimedJob, JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { RunError } from "../jobs/run.ts";
import type { TenantMedia } from "../media/tenant-media.ts";
import { ProcessorIO } from "../processors/io.ts";
import type { ProcessorRegistry } from "../processors/registry.ts";
import type { StepServices } from "../processors/step.ts";
import { Suspended } from "../processors/suspended.ts";
import { PaidCalls } from "../usage/paid-calls.ts";
import type { Prices } from "../usage/prices.ts";
import type { UsageLedger } from "../usage/usage-ledger.ts";
import type { StoredVcon, VconStore } from "../vcons/vcon-store.ts";
import type { JobValues } from "../work/job-values.ts";
import { type Actor, actorOf, toActor } from "./actor.ts";
import type { Committer } from "./committer.ts";
import type { PipelineOptions } from "./definition.ts";
import { changesOf, followUpsOf } from "./effects.ts";
import type { PipelineCache } from "./pipeline-cache.ts";
import type { StoredPipeline } from "./pipeline-store.ts";
import { ProgressReport } from "./progress-report.ts";
import { runSteps, StepFailed, type SuspendedAt } from "./run-steps.ts";
import { suspendingCalls } from "./service-calls.ts";

export interface JobRunnerOptions {
  readonly jobs: JobQueue;
  readonly vcons: VconStore;
  readonly pipelines: PipelineCache;
  readonly committer: Committer;
  readonly registry: ProcessorRegistry;
  readonly services: StepServices;
  readonly media: Pick<TenantMedia, "of">;
  /** What is given to remote workers, and what comes of it. */
  readonly values: JobValues;
  readonly usage: UsageLedger;
  readonly prices: Prices;
  /** Where it is recorded what is read and written; undefined: nowhere. */
  readonly audit: Pick<AuditTrail, "record"> | undefined;
  readonly log: Logger;
}

/** How the run of a job is steered from outside. */
export interface RunControl {
  /** Aborted to stop the run. Its reason says what becomes of the job: see `StopReason`. */
  readonly signal: AbortSignal;
  readonly onDeadline: (deadline: number) => void;
  readonly onLeftBehind: (work: Promise<unknown>) => void;
}

/** `cancelled`: for good. `released`: back to its queue. `lost`: another run has the job. */
export type StopReason = "cancelled" | "released" | "lost";

/** vCons that a run has to do with. */
interface AboutVcons {
  readonly actor: Actor;
  readonly uuids: readonly string[];
}

const mostReruns = 20;

/** Runs claimed jobs through their pipelines: load, run, commit, report. */
export class JobRunner {
  readonly #options: JobRunnerOptions;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  /** Runs a job to its end, whichever that is. Never rejects. */
  async run(job: ClaimedJob, control: RunControl): Promise<void> {
    const { pipelines, committer, log } = this.#options;
    let options: PipelineOptions | undefined;
    try {
      if (await committer.resume(job)) return;
      const pipeline = await retryWhileAway(() => pipelines.get(job.queue, job.pipelineRevision));
      options = pipeline.definition.pipeline_options;
      for (let reruns = 0; ; reruns++) {
        const verdict = await this.#attempt(job, { pipeline, control });
        if (verdict !== "conflict") return;
        if (options.on_conflict === "fail" || reruns >= mostReruns) {
          throw new VconductorError(
            "conflict",
            `a vCon was changed from outside while the pipeline ran${reruns > 0 ? ` (${reruns + 1} times)` : ""}`,
          );
        }
      }
    } catch (error) {
      try {
        await retryWhileAway(() => this.#failed(job, { error, options, control }));
      } catch (failure) {
        // The lease runs out, and with it the job comes back.
        log.error({ err: failure, run: job.runId }, "could not report the end of a run");
      }
    }
  }

  async #attempt(
    job: ClaimedJob,
    options: {
      readonly pipeline: StoredPipeline;
      readonly control: RunControl;
    },
  ) {
    const {
      jobs,
      registry,
      services,
      media,
      values,
      committer,
      pipelines,
      usage: ledger,
      prices,
    } = this.#options;
    const { pipeline, control } = options;
    const { definition } = pipeline;
    const actor = actorOf(pipeline, job.principal);
    const { checkpoint } = definition.pipeline_options;
    const lent = media.of(actor.viewer);
    const sources = await this.#load(job, actor);
    await this.#recordReads(job, { actor, uuids: [...sources.keys()] });
    const io = new ProcessorIO();
    for (const { body: text, revision } of sources.values()) {
      io.add(readVcon(text, { maxDepth: Number.POSITIVE_INFINITY }).value, { stored: { text, revision } });
    }
    const progress = new ProgressReport((report) => jobs.progress({ runId: job.runId, ...report }));
    const ran = await runSteps({
      definition,
      io,
      registry,
      services: { ...services, media: lent },
      signal: control.signal,
      paid: new PaidCalls({
        ledger,
        prices,
        queue: job.queue,
        runId: job.runId,
        keepFor: checkpoint || job.hasCalled ? job.jobId : undefined,
        budget: definition.pipeline_options,
      }),
      definitionOf: async (name) =>
        (await retryWhileAway(() => pipelines.called(name, actor.viewer))).definition,
      service: suspendingCalls({ jobs, values, actor, job }),
      checkpoints:
        checkpoint || job.hasCalled
          ? {
              load: () => jobs.loadCheckpoints(job.jobId),
              save: checkpoint ? (made) => jobs.saveCheckpoint({ jobId: job.jobId, ...made }) : undefined,
            }
          : undefined,
      onProgress: (percent, message) => progress.report({ progress: percent, message }),
      onDeadline: control.onDeadline,
      onLeftBehind: control.onLeftBehind,
    }).catch((error: unknown) => suspendedAt(error));
    progress.stop();
    if (control.signal.aborted)
      throw new VconductorError("run_cancelled", "the run was stopped before its commit");
    if ("waitsFor" in ran) {
      await jobs.suspend({ runId: job.runId, ...ran.waitsFor, checkpoint: ran.checkpoint });
      return "suspended" as const;
    }
    const { io: output, steps } = ran;
    const { save_vcons, success_queue } = definition.pipeline_options;
    const changes = save_vcons ? changesOf(output, sources, actor) : [];
    const success = await this.#successJob(job, success_queue);
    return await committer.commit({
      job,
      changes,
      followUps: [...followUpsOf(output, actor), ...success],
      result: { steps, changed: changes.map((change) => change.uuid) },
      audit: this.#entries("run.write", job, { actor, uuids: changes.map((change) => change.uuid) }),
    });
  }

  async #recordReads(job: ClaimedJob, about: AboutVcons): Promise<void> {
    const { audit } = this.#options;
    const entries = this.#entries("run.read", job, about);
    await Promise.all(entries.map((entry) => retryWhileAway(async () => await audit?.record(entry))));
  }

  /** What is to be recorded of a run, if anything is: one entry for each vCon. */
  #entries(action: string, job: ClaimedJob, { actor, uuids }: AboutVcons): readonly AuditEntry[] {
    if (this.#options.audit === undefined) return [];
    const { principal = anonymous } = actor;
    return uuids.map((vcon) => ({ principal, action, vcon, target: job.queue, run: job.runId }));
  }

  /** The job's vCons, in the order in which it names them. */
  async #load(job: ClaimedJob, { viewer }: Actor): Promise<ReadonlyMap<string, StoredVcon>> {
    const sources = new Map<string, StoredVcon>();
    const found = await Promise.all(
      job.vconUuids.map((uuid) =>
        retryWhileAway(() => this.#options.vcons.get(uuid, { viewer, to: "process" })),
      ),
    );
    for (const stored of found) sources.set(stored.uuid, stored);
    return sources;
  }

  /** A success queue that does not exist is no reason to fail a job that succeeded: it is logged. */
  async #successJob(job: ClaimedJob, queue: string): Promise<readonly NewJob[]> {
    if (queue === "") return [];
    try {
      await retryWhileAway(() => this.#options.jobs.getQueue(queue, toActor(job.principal).viewer));
    } catch (error) {
      if (!(error instanceof VconductorError) || error.code !== "queue_not_found") throw error;
      this.#options.log.warn(
        { queue, pipeline: job.queue, run: job.runId },
        "the success queue does not exist",
      );
      return [];
    }
    const { vconUuids, jobType, payload, queue: fromQueue, runId: originRun, principal } = job;
    return [{ queue, vconUuids, jobType, payload, fromQueue, originRun, principal }];
  }

  async #failed(
    job: ClaimedJob,
    options: {
      readonly error: unknown;
      readonly options: PipelineOptions | undefined;
      readonly control: RunControl;
    },
  ): Promise<void> {
    const { jobs, log } = this.#options;
    const { runId } = job;
    if (options.control.signal.aborted) {
      const why: unknown = options.control.signal.reason;
      if (why === "released") await jobs.release({ runIds: [runId], reason: "its worker was stopped" });
      if (why === "cancelled") await jobs.cancelled({ runId, message: "cancelled on request" });
      return;
    }
    const error = describeFailure(options.error);
    if (error.code === "pipeline_not_found") {
      // Deleted after the claim: without a pipeline, jobs wait.
      await jobs.release({ runIds: [runId], reason: error.message });
      return;
    }
    if (error.code === "internal")
      log.error({ err: options.error, run: runId, queue: job.queue }, "a run failed");
    else log.warn({ run: runId, queue: job.queue, ...error }, "a run failed");
    const policy = options.options;
    await jobs.fail({
      runId,
      error,
      ...(policy === undefined ? {} : { retry: retryPolicy(policy) }),
      failureQueue: policy?.failure_queue || undefined,
    });
  }
}

export function retryPolicy(options: PipelineOptions) {
  return { limit: options.retry_limit, delayMs: options.retry_delay * 1000, backoff: options.retry_backoff };
}

/** Where a run goes on that ends for now; any other error is thrown again. */
function suspendedAt(error: unknown): SuspendedAt {
  if (error instanceof Suspended) return error.what;
  throw error;
}

function describeFailure(error: unknown): RunError {
  if (error instanceof StepFailed) {
    const { failure } = error;
    return {
      code: failure.error.code,
      message: failure.error.message,
      processor: failure.processor,
      step: failure.step,
    };
  }
  if (error instanceof VconductorError) return { code: error.code, message: error.message };
  return { code: "internal", message: "Internal error" };
}

/** Resolves once `work` has settled, or after `ms`. Answers whether it had. */
export async function settles(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([settled, late]);
  } finally {
    timer.abort();
  }
}
