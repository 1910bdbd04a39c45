import { Type } from "typebox";
import { type Run, type RunOutcome, runOutcomes } from "../../jobs/run.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { fromCursor, numberIn, toCursor } from "../cursor.ts";
import { toRunJson } from "../job-json.ts";
import { RunWaiters } from "../run-waiters.ts";
import { answers, limitOf, nullBody, RunId, ref } from "../schemas.ts";
import { json } from "../send.ts";

const tags = ["Runs"];
const runId = Type.Object({ run_id: RunId });
const Text = Type.String({ minLength: 1, maxLength: 500, pattern: "^[^\\u0000]*$" });

/** What ran, runs, and how it came out. */
export function runRoutes(app: App, { jobs, usage, values }: HttpContext): void {
  const withUsage = async (runs: readonly Run[]) => {
    const used = await usage.ofRuns(runs.map((run) => run.id));
    return runs.map((run) => toRunJson(run, used.get(run.id)));
  };
  const one = async (run: Run) => (await withUsage([run]))[0];
  const waiters = new RunWaiters(jobs);
  app.addHook("preClose", async () => waiters.stop());

  app.get(
    "/runs",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List runs",
        description: "Newest first. All filters given must hold.",
        operationId: "list_runs",
        querystring: Type.Object({
          queue: Type.Optional(Text),
          vcon: Type.Optional(Text),
          job: Type.Optional(Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 })),
          outcome: Type.Optional(Type.Enum([...runOutcomes] as [RunOutcome, ...RunOutcome[]])),
          active: Type.Optional(Type.Boolean()),
          server: Type.Optional(Text),
          worker: Type.Optional(Text),
          limit: limitOf(1000, 50),
          cursor: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: answers({
          200: Type.Object({ runs: Type.Array(ref("Run")), next: Type.Union([Type.String(), Type.Null()]) }),
        }),
      },
    },
    async (request, reply) => {
      const { cursor, ...filter } = request.query;
      const runs = await jobs.listRuns({
        ...filter,
        viewer: viewerIn(request),
        before: numberIn(fromCursor(cursor, 1), 0),
      });
      const last = runs.length === filter.limit ? runs.at(-1) : undefined;
      return json(reply, {
        runs: await withUsage(runs),
        next: last === undefined ? null : toCursor([last.id]),
      });
    },
  );

  app.get(
    "/runs/:run_id",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "Look at a run",
        operationId: "get_run",
        params: runId,
        response: answers({ 200: ref("Run") }, 404),
      },
    },
    async (request, reply) =>
      json(reply, await one(await jobs.getRun(request.params.run_id, viewerIn(request)))),
  );

  app.get(
    "/runs/:run_id/result",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "Read the result of a run",
        description: "All of it, also where the run has only a pointer to it; null while there is none.",
        operationId: "get_run_result",
        params: runId,
        response: answers({ 200: Type.Unknown({ description: "Any JSON" }) }, 404, 502),
      },
    },
    async (request, reply) => {
      const { result } = await jobs.getRun(request.params.run_id, viewerIn(request));
      return json(reply, await values.read(result));
    },
  );

  app.get(
    "/runs/:run_id/wait",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "Wait for a run to end",
        description: "Answers when it has ended, or when the time is up (`finished_at` is then null).",
        operationId: "wait_run",
        params: runId,
        querystring: Type.Object({
          timeout: Type.Number({ minimum: 0, maximum: 300, default: 30, description: "Seconds" }),
        }),
        response: answers({ 200: ref("Run") }, 404),
      },
    },
    async (request, reply) => {
      const run = await jobs.getRun(request.params.run_id, viewerIn(request));
      if (run.finishedAt !== null) return json(reply, await one(run));
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      await waiters.wait({ runId: run.id, timeoutMs: request.query.timeout * 1000, signal: gone.signal });
      return json(reply, await one(await jobs.getRun(run.id, viewerIn(request))));
    },
  );

  app.post(
    "/runs/:run_id/cancel",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "Cancel a run",
        description:
          "Tells its worker to stop; a pipeline worker that does not stop in time is ended. The run then ends as cancelled, and its job is gone.",
        operationId: "cancel_run",
        params: runId,
        response: answers({ 202: nullBody("Its worker is being told") }, 404, 409),
      },
    },
    async (request, reply) => {
      await jobs.requestCancel(request.params.run_id, viewerIn(request));
      return json(reply.code(202), null);
    },
  );
}
