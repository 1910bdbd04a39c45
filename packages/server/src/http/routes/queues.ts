import { Type } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { toQueueJob } from "../job-json.ts";
import { jobFields, toNewJob } from "../new-job.ts";
import { answers, limitOf, Name, NoContent, ref, smallBody, withHeaders } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Job Queues"];
const name = Type.Object({ name: Name });

const OfKind = Type.Object({
  kind: Type.Optional(
    Type.Enum(["pipeline", "remote"] as ["pipeline", "remote"], {
      description: "Whose jobs it holds: those of pipelines, or of remote workers. Default: pipeline",
    }),
  ),
});

const QueueChange = Type.Object(
  {
    paused: Type.Optional(Type.Boolean()),
    retry_limit: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: "How often a failed job is tried again. At first: 3",
      }),
    ),
    retry_delay: Type.Optional(
      Type.Number({ minimum: 0, maximum: 31_536_000, description: "Seconds before a retry. At first: 1" }),
    ),
    retry_backoff: Type.Optional(
      Type.Boolean({ description: "Whether the delay doubles with each retry. At first: true" }),
    ),
    failure_queue: Type.Optional(
      Type.String({
        maxLength: 200,
        pattern: "^[^/\\u0000-\\u001f\\u007f-\\u009f]*$",
        description: "Queue for jobs that failed for good. At first none: they stay listed as failed",
      }),
    ),
  },
  { minProperties: 1 },
);

const NewQueueJob = Type.Object(jobFields);

/** Queues and the jobs that wait in them. */
export function queueRoutes(app: App, { jobs, values, config }: HttpContext): void {
  const bodyLimit = smallBody(config);

  app.get(
    "/queues",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List queues",
        operationId: "get_queues",
        querystring: OfKind,
        response: answers({ 200: Type.Array(Type.String()) }),
      },
    },
    async (request, reply) =>
      json(
        reply,
        (await jobs.listQueues({ kind: request.query.kind ?? "pipeline", viewer: viewerIn(request) })).map(
          (queue) => queue.name,
        ),
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
        querystring: OfKind,
        response: answers({ 204: NoContent }),
      },
    },
    async (request, reply) => {
      await jobs.createQueue({
        name: request.params.name,
        kind: request.query.kind ?? "pipeline",
        viewer: viewerIn(request),
      });
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
      const given = { ...request.body, queue: request.params.name };
      const { jobId, length } = await jobs.enqueue(await toNewJob(request, { job: given, jobs, values }));
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
        summary: "Pause or resume a queue, or change its settings",
        description:
          "A paused queue takes new jobs but hands none out; jobs in progress go on. The other settings are for queues of remote workers; pipelines have theirs in their definition.",
        operationId: "patch_queue",
        params: name,
        body: QueueChange,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      const { paused, ...attributes } = request.body;
      const { name } = request.params;
      const viewer = viewerIn(request);
      const { kind } = await jobs.getQueue(name, viewer);
      if (kind === "pipeline" && Object.keys(attributes).length > 0) {
        const text = `queue: ${name} is for a pipeline, whose options say how jobs are tried again`;
        throw new VconductorError("invalid_request", text);
      }
      await jobs.changeQueue({ name, paused, attributes, viewer });
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
        description: "Also one that waits for a remote worker: what it asked for is cancelled too.",
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
