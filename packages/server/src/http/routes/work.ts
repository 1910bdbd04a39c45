import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { RemoteJob, WorksFor } from "../../jobs/remote-jobs.ts";
import { requireRemoteQueue } from "../../jobs/remote-queues.ts";
import { withPayloads } from "../../work/payloads.ts";
import type { App } from "../app.ts";
import { callerOf, viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { jobFields, requireOwnQueue, toNewJob } from "../new-job.ts";
import { signalOf } from "../request-signal.ts";
import { answers, Name, RunId, ref, smallBody } from "../schemas.ts";
import { json } from "../send.ts";
import { requireStorable } from "../storable.ts";

const tags = ["Remote Workers"];
const runId = Type.Object({ run_id: RunId });
const Text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000\\ud800-\\udfff]*$", description });

const longestLease = 86_400;
const leaseOf = (usual: string) =>
  Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: longestLease,
      description: `Seconds, from now, until the job goes back to its queue unless a heartbeat comes. Default: ${usual}`,
    }),
  );
const WorkerId = Text(200, "The name of the worker: the same after it was restarted");

const Claim = Type.Object({
  worker: WorkerId,
  count: Type.Integer({ minimum: 1, maximum: 100, default: 1, description: "Most jobs" }),
  wait: Type.Number({
    minimum: 0,
    maximum: 60,
    default: 0,
    description: "Seconds to wait for a job while there is none",
  }),
  lease: leaseOf("LEASE_SECONDS"),
  info: Type.Optional(
    Type.Object(
      {},
      { additionalProperties: true, description: "What /workers is to show of it: version, machine …" },
    ),
  ),
});

const Heartbeat = Type.Object({
  lease: leaseOf("as long as at the claim"),
  progress: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  message: Type.Optional(Text(2000, "What it is doing, for people")),
});

const FollowUp = Type.Object({ queue: Name, ...jobFields });

const Completion = Type.Object({
  result: Type.Unknown({ default: null, description: "Any JSON; it is kept with the run" }),
  queue_jobs: Type.Array(FollowUp, {
    default: [],
    maxItems: 100,
    description:
      "Jobs to queue: all of them with the end of this run, or none. What holds for PUT /queue/{name} holds for each, but it needs no other scope",
  }),
});

const Failure = Type.Object({
  message: Text(10_000, "What went wrong, for people"),
  code: Type.String({
    default: "worker_failed",
    pattern: "^[a-z][a-z0-9_]{0,99}$",
    description: "For programs",
  }),
  retryable: Type.Boolean({
    default: true,
    description: "Whether trying again could help. The queue's settings say how often and when",
  }),
});

const Release = Type.Object({
  reason: Text(2000, "Why, for people"),
});

/** What the end of a run is answered with. @param outcomes which there are */
const ended = (outcomes: string) =>
  answers({ 200: Type.Object({ outcome: Type.String({ description: outcomes }) }) }, 404, 409);

/** Jobs for remote workers: taking them out, and saying what became of them. */
export function workRoutes(app: App, context: HttpContext): void {
  const { remoteJobs, remoteWorkers, jobWaiters, jobs, config, values, serverKey } = context;
  const bodyLimit = smallBody(config);
  app.addHook("preClose", async () => jobWaiters.stop());

  app.post(
    "/work/:queue/claim",
    {
      bodyLimit,
      schema: {
        scope: ["job:work"],
        tags,
        summary: "Take jobs out of a queue",
        description:
          "Each job comes with a run, whose number names it in everything that follows. A job is in one worker's hands at a time: it comes to another only when this run has ended, or its lease has run out.",
        operationId: "claim_work",
        params: Type.Object({ queue: Name }),
        body: Claim,
        response: answers(
          {
            200: Type.Object({
              jobs: Type.Array(ref("RemoteJob")),
              drain: Type.Boolean({ description: "The worker was disabled: it gets no jobs" }),
            }),
          },
          404,
        ),
      },
    },
    async (request, reply) => {
      const { queue } = request.params;
      const { worker, count, wait, info } = request.body;
      const viewer = viewerIn(request);
      requireStorable(info, ["body", "info"]);
      requireOwnQueue(request, queue, "work on");
      await remoteWorkers.note({
        face: "remote",
        id: worker,
        viewer,
        queue,
        ...(info === undefined ? {} : { status: info }),
      });
      const leaseMs = (request.body.lease ?? config.leaseSeconds) * 1000;
      const claim = {
        kind: "remote",
        queue,
        viewer,
        limit: count,
        worker,
        server: serverKey,
        leaseMs,
      } as const;
      const signal = signalOf(reply);
      const look = () => remoteJobs.claim(claim);
      let claimed = await look();
      // Only who gets nothing asks why.
      if (claimed.length === 0) {
        await requireRemoteQueue(jobs, { queue, viewer, code: "invalid_request" });
        claimed = await jobWaiters.until({ queue, waitMs: wait * 1000, signal, look });
      }
      if (signal.aborted) {
        const by = worksFor(request);
        const reason = "its worker went away before it had the job";
        for (const job of claimed) await remoteJobs.release({ runId: job.runId, by, reason });
      }
      const drain =
        claimed.length === 0 &&
        (await remoteWorkers.isDisabled({ face: "remote", id: worker, tenant: viewer.tenant }));
      const handed = await withPayloads(claimed, { values, remoteJobs, by: worksFor(request) });
      return json(reply, { jobs: handed.map(toJson), drain });
    },
  );

  app.post(
    "/work/runs/:run_id/heartbeat",
    {
      bodyLimit,
      schema: {
        scope: ["job:work"],
        tags,
        summary: "Keep a job, and tell how far it is",
        operationId: "heartbeat_work",
        params: runId,
        body: Heartbeat,
        response: answers(
          {
            200: Type.Object({
              lease_until: Type.String({ description: "RFC 3339, UTC" }),
              cancelled: Type.Boolean({
                description: "Stop, and say so with /fail or /release: the job is then gone",
              }),
              drain: Type.Boolean({ description: "The worker was disabled: finish this, and take no more" }),
            }),
          },
          404,
          409,
        ),
      },
    },
    async (request, reply) => {
      const { lease, progress, message } = request.body;
      const told = await remoteJobs.heartbeat({
        runId: request.params.run_id,
        by: worksFor(request),
        leaseMs: lease === undefined ? undefined : lease * 1000,
        progress,
        message,
      });
      return json(reply, {
        lease_until: told.leaseUntil,
        cancelled: told.cancelRequested,
        drain: told.drain,
      });
    },
  );

  app.post(
    "/work/runs/:run_id/complete",
    {
      schema: {
        scope: ["job:work"],
        tags,
        summary: "End a run as done",
        description:
          "The end of the run, its result and the jobs that it queues are committed together. Repeating the request changes nothing. A result of more than 64 KiB is kept in the media store; GET /runs/{run_id}/result has it.",
        operationId: "complete_work",
        params: runId,
        body: Completion,
        response: answers({ 200: Type.Object({ outcome: Type.Literal("done") }) }, 404, 409, 502),
      },
    },
    async (request, reply) => {
      const { result, queue_jobs } = request.body;
      const { run_id: runId } = request.params;
      const by = worksFor(request);
      const followUps = await Promise.all(queue_jobs.map((job) => toNewJob(request, { job, jobs, values })));
      await remoteJobs.complete({
        runId,
        by,
        result: await values.keep(result),
        followUps,
      });
      return json(reply, { outcome: "done" });
    },
  );

  app.post(
    "/work/runs/:run_id/fail",
    {
      bodyLimit,
      schema: {
        scope: ["job:work"],
        tags,
        summary: "End a run as failed",
        description:
          "The job is tried again as its queue's settings say, else it goes to the failure queue, else it stays listed as failed.",
        operationId: "fail_work",
        params: runId,
        body: Failure,
        response: ended("retry, failed, or cancelled when that was asked for"),
      },
    },
    async (request, reply) => {
      const { message, code, retryable } = request.body;
      const outcome = await remoteJobs.fail({
        runId: request.params.run_id,
        by: worksFor(request),
        error: { code, message },
        retry: retryable,
      });
      return json(reply, { outcome });
    },
  );

  app.post(
    "/work/runs/:run_id/release",
    {
      bodyLimit,
      schema: {
        scope: ["job:work"],
        tags,
        summary: "Hand a job back unfinished",
        description: "It keeps its place, and no attempt is used up.",
        operationId: "release_work",
        params: runId,
        body: Release,
        response: ended("released, or cancelled when that was asked for"),
      },
    },
    async (request, reply) => {
      const { reason } = request.body;
      const by = worksFor(request);
      return json(reply, { outcome: await remoteJobs.release({ runId: request.params.run_id, by, reason }) });
    },
  );
}

function worksFor(request: FastifyRequest): WorksFor {
  return { kind: "remote", viewer: viewerIn(request), queues: callerOf(request).queues };
}

function toJson(job: RemoteJob) {
  return {
    run_id: job.runId,
    job_id: job.jobId,
    queue: job.queue,
    job_type: job.jobType,
    vcon_uuid: job.vconUuids,
    payload: job.payload,
    attempt: job.attempt,
    lease_until: job.leaseUntil,
    queued_at: job.queuedAt,
  };
}
