import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { VconductorError } from "../errors.ts";
import type { JobQueue, NewJob } from "../jobs/job-queue.ts";
import type { JobValues } from "../work/job-values.ts";
import { callerOf, viewerIn } from "./authentication.ts";

const mostUuids = 1000;

/** What every request that queues a job says of it. */
export const jobFields = {
  job_type: Type.String({
    default: "vcon_uuid",
    minLength: 1,
    maxLength: 200,
    pattern: "^[^\\u0000\\ud800-\\udfff]*$",
    description: "vcon_uuid; in queues of remote workers anything",
  }),
  payload: Type.Optional(Type.Unknown({ description: "For remote workers: any JSON" })),
  vcon_uuid: Type.Array(
    Type.String({ minLength: 1, maxLength: 255, pattern: "^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$" }),
    {
      default: [],
      maxItems: mostUuids,
      description: "The vCons to process together: at least one, except for remote workers",
    },
  ),
  priority: Type.Integer({
    default: 0,
    minimum: -1_000_000,
    maximum: 1_000_000,
    description: "Higher runs first",
  }),
  delay: Type.Number({
    default: 0,
    minimum: 0,
    maximum: 31_536_000,
    description: "Seconds until it may start",
  }),
  unique_key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: "^[^\\u0000\\ud800-\\udfff]*$",
      description: "While a job with this key waits or runs in the queue, no second one is added",
    }),
  ),
};

const fields = Type.Object(jobFields);

type GivenJob = Static<typeof fields> & { readonly queue: string };

/**
 * A job as the caller may queue it, in whichever request it comes. Whether its tenant has a queue for it is found out when it
 * is queued, if not before.
 *
 * @throws forbidden the caller's token is for other queues
 * @throws queue_not_found
 * @throws invalid_job whoever works on the queue cannot do it
 */
export async function toNewJob(
  request: FastifyRequest,
  {
    job,
    jobs,
    values,
  }: { readonly job: GivenJob; readonly jobs: JobQueue; readonly values: Pick<JobValues, "keep"> },
): Promise<NewJob> {
  const { queue, payload, delay } = job;
  requireOwnQueue(request, queue, "add to");
  // Only jobs that a pipeline could not do are worth the look.
  if (payload !== undefined || job.job_type !== "vcon_uuid" || job.vcon_uuid.length === 0) {
    const { kind } = await jobs.getQueue(queue, viewerIn(request));
    if (kind !== "remote") requirePipelineJob(job);
  }
  return {
    queue,
    jobType: job.job_type,
    vconUuids: job.vcon_uuid,
    payload: payload === undefined ? undefined : await values.keep(payload),
    priority: job.priority,
    runAfter: delay > 0 ? new Date(Date.now() + delay * 1000) : undefined,
    uniqueKey: job.unique_key,
    principal: callerOf(request),
  };
}

/** @throws forbidden the caller's token is for other queues */
export function requireOwnQueue(request: FastifyRequest, queue: string, what: "work on" | "add to"): void {
  const { queues, name } = callerOf(request);
  if (queues === undefined || queues.includes(queue)) return;
  throw new VconductorError("forbidden", `${name} may not ${what} the queue ${queue}`);
}

/** @throws invalid_job a pipeline cannot do it */
function requirePipelineJob(job: GivenJob): void {
  if (job.job_type !== "vcon_uuid") {
    throw new VconductorError("invalid_job", `unsupported job_type: ${job.job_type}; it should be vcon_uuid`);
  }
  if (job.vcon_uuid.length === 0) {
    throw new VconductorError("invalid_job", "vcon_uuids array must contain at least one UUID");
  }
  throw new VconductorError("invalid_job", "payload is for queues of remote workers (kind=remote)");
}
