import { Type } from "typebox";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { fromCursor, numberIn, toCursor } from "../cursor.ts";
import { toFailedJob } from "../job-json.ts";
import { answers, limitOf, Name, NoContent, RunId, ref } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: Job Queues"];

/** Jobs that failed for good and have no failure queue: nothing is dropped. */
export function failedJobRoutes(app: App, { jobs }: HttpContext): void {
  app.get(
    "/queue/:name/failed",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List the failed jobs of a queue",
        description: "Oldest first. Jobs of a pipeline with a failure queue are in that queue instead.",
        operationId: "get_queue_failed",
        params: Type.Object({ name: Name }),
        querystring: Type.Object({
          limit: limitOf(1000, 100),
          cursor: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: answers(
          {
            200: Type.Object({
              jobs: Type.Array(ref("FailedJob")),
              next: Type.Union([Type.String(), Type.Null()]),
            }),
          },
          404,
        ),
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query;
      const after = numberIn(fromCursor(cursor, 1), 0) ?? 0;
      const failed = await jobs.listFailed({
        queue: request.params.name,
        after,
        limit,
        viewer: viewerIn(request),
      });
      const last = failed.length === limit ? failed.at(-1)?.lastRun : undefined;
      return json(reply, { jobs: failed.map(toFailedJob), next: last ? toCursor([last]) : null });
    },
  );

  app.post(
    "/queue/:name/failed/:run_id/requeue",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Queue a failed job again",
        description: "Puts it to the tail of its queue, with all its attempts.",
        operationId: "post_queue_failed_requeue",
        params: Type.Object({ name: Name, run_id: RunId }),
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await jobs.requeueFailed({
        queue: request.params.name,
        runId: request.params.run_id,
        viewer: viewerIn(request),
      });
      return noContent(reply);
    },
  );
}
