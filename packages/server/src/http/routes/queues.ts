import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { NewJob } from "../../jobs/job-queue.ts";
import type { App } from "../app.ts";
import { callerOf, viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { toQueueJob } from "../job-json.ts";
import { answers, limitOf, Name, NoContent, ref, smallBody, withHeaders } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Job Queues"];
const name = Type.Object({ name: Name });
const mostUuids = 1000;

const NewQueueJob = Type.Object({
  job_type: Type.String({ default: "vcon_uuid", description: "vcon_uuid" }),
  vcon_uuid: Type.Array(
    Type.String({ minLength: 1, maxLength: 255, pattern: "^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$" }),
    { default: [], maxItems: mostUuids, description: "The vCons to process together: at least one" },
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
});

/** Queues and the jobs that wait in them. */
export function queueRoutes(app: App, { jobs, config }: HttpContext): void {
  const bodyLimit = smallBody(config);

  app.get(
    "/queues",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List queues",
        operationId: "get_queues",
        response: answers({ 200: Type.Array(Type.String()) }),
      },
    },
    async (request, reply) =>
      json(
        reply,
        (await jobs.listQueues({ kind: "pipeline", viewer: viewerIn(request) })).map((queue) => queue.name),
      ),
  );

  app.post(
    "/queue/:name",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Create a queue",
        operationId: "post_queue",
        params: name,
        response: answers({ 204: NoContent }),
      },
    },
    async (request, reply) => {
      await jobs.createQueue({ name: request.params.name, viewer: viewerIn(request) });
      return noContent(reply);
    },
  );

  app.get(
    "/queue/:name",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List the jobs that wait in a queue",
        description: "In the order in which they will run.",
        operationId: "get_queue",
        params: name,
        querystring: Type.Object({
          offset: Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 }),
          limit: limitOf(10_000, 10_000),
        }),
        response: answers({ 200: Type.Array(ref("QueueJob")) }, 404),
      },
    },
    async (request, reply) => {
      const waiting = await jobs.listWaiting({
        queue: request.params.name,
        viewer: viewerIn(request),
        ...request.query,
      });
      return json(reply, waiting.map(toQueueJob));
    },
  );

  app.put(
    "/queue/:name",
    {
      bodyLimit,
      schema: {
        scope: ["process:run", "queue:write"],
        tags: [...tags, "vCon: Storage CRUD"],
        summary: "Queue a job",
        description:
          "Answers with the number of jobs that then wait in the queue; the header Vconductor-Job-Id has the job's number.",
        operationId: "put_queue",
        params: name,
        body: NewQueueJob,
        response: answers(
          {
            200: withHeaders(Type.Integer(), { "Vconductor-Job-Id": "The job's number" }),
          },
          404,
        ),
      },
    },
    async (request, reply) => {
      const { jobId, length } = await jobs.enqueue({
        ...toNewJob(request.params.name, request.body),
        principal: callerOf(request),
      });
      return json(reply.header("vconductor-job-id", String(jobId)), length);
    },
  );

  app.delete(
    "/queue/:name",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Delete a queue",
        description: "Answers with the jobs that waited in it. Jobs in progress go on.",
        operationId: "delete_queue",
        params: name,
        response: answers({ 200: Type.Array(ref("QueueJob")) }, 404),
      },
    },
    async (request, reply) => {
      const waiting = await jobs.deleteQueue({ name: request.params.name, viewer: viewerIn(request) });
      return json(reply, waiting.map(toQueueJob));
    },
  );

  app.patch(
    "/queue/:name",
    {
      bodyLimit,
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Pause or resume a queue",
        description: "A paused queue takes new jobs but hands none out; jobs in progress go on.",
        operationId: "patch_queue",
        params: name,
        body: Type.Object({ paused: Type.Boolean() }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await jobs.setPaused({
        name: request.params.name,
        paused: request.body.paused,
        viewer: viewerIn(request),
      });
      return noContent(reply);
    },
  );

  app.delete(
    "/queue/:name/job/:job_id",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Cancel a job that waits",
        operationId: "delete_queue_job",
        params: Type.Object({
          name: Name,
          job_id: Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 }),
        }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await jobs.cancelWaiting({
        queue: request.params.name,
        jobId: request.params.job_id,
        viewer: viewerIn(request),
      });
      return noContent(reply);
    },
  );
}

interface GivenJob {
  readonly job_type: string;
  readonly vcon_uuid: readonly string[];
  readonly priority: number;
  readonly delay: number;
  readonly unique_key?: string;
}

function toNewJob(queue: string, job: GivenJob): NewJob {
  if (job.job_type !== "vcon_uuid") {
    throw new VconductorError("invalid_job", `unsupported job_type: ${job.job_type}; it should be vcon_uuid`);
  }
  if (job.vcon_uuid.length === 0) {
    throw new VconductorError("invalid_job", "vcon_uuids array must contain at least one UUID");
  }
  return {
    queue,
    vconUuids: job.vcon_uuid,
    priority: job.priority,
    runAfter: job.delay > 0 ? new Date(Date.now() + job.delay * 1000) : undefined,
    uniqueKey: job.unique_key,
  };
}
