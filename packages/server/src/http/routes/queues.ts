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

const NewQueueJob = Type.Object({
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
      const { name } = request.params;
      const job = request.body;
      // Only jobs that a pipeline could not do are worth the look.
      if (job.payload !== undefined || job.job_type !== "vcon_uuid" || job.vcon_uuid.length === 0) {
        const queue = await jobs.getQueue(name, viewerIn(request)).catch(missingQueue);
        if (queue?.kind !== "remote") requirePipelineJob(job);
      }
      const payload = job.payload === undefined ? undefined : await values.keep(job.payload);
      const newJob = toNewJob(name, { ...job, payload });
      const { jobId, length } = await jobs.enqueue({ ...newJob, principal: callerOf(request) });
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

interface GivenJob {
  readonly job_type: string;
  readonly vcon_uuid: readonly string[];
  readonly payload?: unknown;
  readonly priority: number;
  readonly delay: number;
  readonly unique_key?: string;
}

/** What is wrong with the job is said before that there is no such queue. */
function missingQueue(error: unknown): undefined {
  if (!(error instanceof VconductorError) || error.code !== "queue_not_found") throw error;
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

function toNewJob(queue: string, job: GivenJob): NewJob {
  return {
    queue,
    jobType: job.job_type,
    vconUuids: job.vcon_uuid,
    payload: job.payload,
    priority: job.priority,
    runAfter: job.delay > 0 ? new Date(Date.now() + job.delay * 1000) : undefined,
    uniqueKey: job.unique_key,
  };
}
