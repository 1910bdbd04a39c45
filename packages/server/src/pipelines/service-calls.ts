import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonValue } from "@vconductor/vcon";
import { canonicalJson } from "../canonical-json.ts";
import { VconductorError } from "../errors.ts";
import type { ClaimedJob, JobOutcome, JobQueue, NewJob } from "../jobs/job-queue.ts";
import { cancelJob, requireRemoteQueue } from "../jobs/remote-queues.ts";
import type { ServiceRequest } from "../processors/define.ts";
import { Suspended } from "../processors/suspended.ts";
import type { JobValues } from "../work/job-values.ts";
import type { Actor } from "./actor.ts";

/** What a step asks of a remote worker, and where in the pipeline it does. */
export interface ServiceCall extends ServiceRequest {
  /** Tells the step from every other one of the run. */
  readonly step: string;
  readonly signal: AbortSignal;
}

/** Has a remote worker do what a step asks for, and answers with its result. @throws queue_not_found, provider_failed */
export type ServiceCalls = (call: ServiceCall) => Promise<JsonValue>;

/** What a suspended run waits for: as `JobQueue.suspend` takes it. */
export type WaitsFor = Pick<Parameters<JobQueue["suspend"]>[0], "key" | "call">;

interface Calls {
  readonly jobs: JobQueue;
  readonly values: JobValues;
  readonly actor: Actor;
}

/**
 * For the runs of jobs: nobody waits. The run ends as suspended; the next one of the job finds the result here. Whatever
 * is asked for twice by a step of a job is done once, unless it failed.
 */
export function suspendingCalls({
  jobs,
  values,
  actor,
  job,
}: Calls & { readonly job: ClaimedJob }): ServiceCalls {
  const { jobId, runId } = job;
  return async (call) => {
    const key = `${call.step} ${hashOf(call)}`;
    const asked = await jobs.serviceCall({ jobId, key });
    if (asked === undefined) {
      const newJob = await toJob(call, { jobs, values, actor });
      const { giveUpAfterMs } = call;
      throw new Suspended<WaitsFor>({
        key,
        call: { job: { ...newJob, originRun: runId, fromQueue: job.queue }, giveUpAfterMs },
      });
    }
    const { remoteJob, isOverdue } = asked;
    const outcome = await jobs.outcomeOf(remoteJob);
    if (outcome.pending && !isOverdue) throw new Suspended<WaitsFor>({ key, call: { remoteJob } });
    if (outcome.lastRun?.outcome !== "done") await jobs.forgetServiceCall({ jobId, key });
    if (outcome.pending) throw givenUp(call);
    return await resultOf(outcome, call.queue, values);
  };
}

const firstLookMs = 20;
const lastLookMs = 1000;
/** What a timer takes; nobody waits for an answer for so long. */
const longestMs = 2 ** 31 - 1;

/** For runs in the request that asks for them: it waits. When it is given up, so is what it waits for. */
export function waitingCalls(options: Calls): ServiceCalls {
  const { jobs, values, actor } = options;
  return async (call) => {
    const { queue, signal, giveUpAfterMs } = call;
    const { jobId } = await jobs.enqueue(await toJob(call, options));
    const late =
      giveUpAfterMs === undefined ? undefined : AbortSignal.timeout(Math.min(giveUpAfterMs, longestMs));
    const given = late === undefined ? signal : AbortSignal.any([signal, late]);
    try {
      for (let ms = firstLookMs; ; ms = Math.min(lastLookMs, ms * 1.5)) {
        const outcome = await jobs.outcomeOf(jobId);
        if (!outcome.pending) return await resultOf(outcome, queue, values);
        await sleep(ms, undefined, { signal: given });
      }
    } catch (error) {
      if (!given.aborted) throw error;
      await cancelJob(jobs, { queue, jobId, viewer: actor.viewer });
      throw signal.aborted ? error : givenUp(call);
    }
  };
}

async function toJob(call: ServiceCall, { jobs, values, actor }: Calls): Promise<NewJob> {
  const { queue, vconUuids, payload, priority } = call;
  await requireRemoteQueue(jobs, { queue, viewer: actor.viewer, code: "invalid_options" });
  return {
    queue,
    jobType: "service",
    vconUuids,
    payload: await values.keep(payload),
    priority,
    principal: actor.principal,
  };
}

function givenUp({ queue, giveUpAfterMs = 0 }: ServiceCall): VconductorError {
  return new VconductorError(
    "provider_failed",
    `the job for the remote workers of ${queue} was not done within ${giveUpAfterMs / 1000} s, and was given up`,
  );
}

async function resultOf({ lastRun }: JobOutcome, queue: string, values: JobValues): Promise<JsonValue> {
  if (lastRun?.outcome === "done") return await values.read(lastRun.result);
  const why = lastRun === undefined ? "it was taken off its queue" : reasonOf(lastRun);
  throw new VconductorError(
    "provider_failed",
    `the job for the remote workers of ${queue} was not done: ${why}`,
  );
}

function reasonOf({ outcome, error }: NonNullable<JobOutcome["lastRun"]>): string {
  const message: unknown =
    typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  return typeof message === "string" ? message : (outcome ?? "it has not ended");
}

function hashOf({ queue, vconUuids, payload }: ServiceCall): string {
  return createHash("sha256")
    .update(canonicalJson([queue, [...vconUuids], payload]))
    .digest("hex");
}
