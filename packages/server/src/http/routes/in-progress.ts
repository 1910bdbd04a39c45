import { Type } from "typebox";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { toInProgress } from "../job-json.ts";
import { answers, NoContent, RunId, ref } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Admin: In Progress Jobs"];
const jobId = Type.Object({ job_id: RunId });

/** Jobs in progress, as the reference shows them: its job id is our run id. */
export function inProgressRoutes(app: App, { jobs }: HttpContext): void {
  app.get(
    "/in_progress",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List the jobs in progress on all servers",
        operationId: "get_in_progress",
        response: answers({ 200: Type.Record(Type.String(), ref("InProgressJob")) }),
      },
    },
    async (request, reply) => {
      const runs = await jobs.activeRuns({ viewer: viewerIn(request) });
      return json(reply, Object.fromEntries(runs.map((run) => [String(run.id), toInProgress(run)])));
    },
  );

  app.put(
    "/in_progress/:job_id",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Put a job in progress back to the front of its queue",
        description: "Its run ends at once: whatever its worker still does has no effect.",
        operationId: "put_in_progress",
        params: jobId,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await jobs.requeueRun(request.params.job_id, viewerIn(request));
      return noContent(reply);
    },
  );

  app.delete(
    "/in_progress/:job_id",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Remove a job in progress without queueing it again",
        description: "Its run ends at once: whatever its worker still does has no effect.",
        operationId: "delete_in_progress",
        params: jobId,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      await jobs.removeRun(request.params.job_id, viewerIn(request));
      return noContent(reply);
    },
  );
}
