import { Type } from "typebox";
import type { Run } from "../../jobs/run.ts";
import type { RemoteWorker } from "../../work/remote-workers.ts";
import type { App } from "../app.ts";
import { viewerIn } from "../authentication.ts";
import type { HttpContext } from "../context.ts";
import { answers, NoContent, ref, smallBody } from "../schemas.ts";
import { json, noContent } from "../send.ts";

const tags = ["Remote Workers"];
const face = "remote";
const workerId = Type.Object({
  worker_id: Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000]*$" }),
});

/** Who works for the server from outside. */
export function remoteWorkerRoutes(app: App, { remoteWorkers, jobs, config }: HttpContext): void {
  app.get(
    "/workers",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "List remote workers",
        description:
          "Those last heard of first, and no more than 1000; /workers/{worker_id} shows each. When it asked for jobs, and the heartbeats of those that it has in hand, say when it was last heard of.",
        operationId: "list_workers",
        response: answers({ 200: Type.Object({ workers: Type.Array(ref("RemoteWorker")) }) }),
      },
    },
    async (request, reply) => {
      const viewer = viewerIn(request);
      const workers = await remoteWorkers.list({ face, viewer });
      const runs = Map.groupBy(await jobs.activeRuns({ kind: face, viewer }), (run) => run.worker);
      return json(reply, { workers: workers.map((worker) => toJson(worker, runs.get(worker.id) ?? [])) });
    },
  );

  app.get(
    "/workers/:worker_id",
    {
      schema: {
        scope: ["process:run", "queue:write"],
        tags,
        summary: "Look at a remote worker",
        operationId: "get_worker",
        params: workerId,
        response: answers({ 200: ref("RemoteWorker") }, 404),
      },
    },
    async (request, reply) => {
      const { worker_id: id } = request.params;
      const viewer = viewerIn(request);
      const worker = await remoteWorkers.get({ face, id, viewer });
      return json(reply, toJson(worker, await jobs.activeRuns({ worker: id, kind: face, viewer })));
    },
  );

  app.patch(
    "/workers/:worker_id",
    {
      bodyLimit: smallBody(config),
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Disable or enable a remote worker",
        description:
          "A disabled one finishes what it has, gets no more jobs, and is told so. That outlives its restarts.",
        operationId: "patch_worker",
        params: workerId,
        body: Type.Object({ disabled: Type.Boolean() }),
        response: answers({ 200: ref("RemoteWorker") }, 404),
      },
    },
    async (request, reply) => {
      const { worker_id: id } = request.params;
      const viewer = viewerIn(request);
      const { tenant } = await remoteWorkers.get({ face, id, viewer });
      const { disabled } = request.body;
      const worker = await remoteWorkers.setDisabled({ face, id, tenant, disabled });
      return json(reply, toJson(worker, await jobs.activeRuns({ worker: id, kind: face, viewer })));
    },
  );

  app.delete(
    "/workers/:worker_id",
    {
      schema: {
        scope: ["queue:write"],
        tags,
        summary: "Forget a remote worker",
        description:
          "Also that it was disabled. What it has in hand stays with it; when it asks for jobs again, it is listed again.",
        operationId: "delete_worker",
        params: workerId,
        response: answers({ 204: NoContent }, 404),
      },
    },
    async (request, reply) => {
      const { worker_id: id } = request.params;
      const { tenant } = await remoteWorkers.get({ face, id, viewer: viewerIn(request) });
      await remoteWorkers.forget({ face, id, tenant });
      return noContent(reply);
    },
  );
}

function toJson(worker: RemoteWorker, runs: readonly Run[]) {
  return {
    id: worker.id,
    disabled: worker.disabled,
    info: worker.status,
    first_seen: worker.firstSeen,
    last_seen: worker.lastSeen,
    tenant: worker.tenant,
    runs: runs.map((run) => ({
      run_id: run.id,
      queue: run.queue,
      progress: run.progress,
      message: run.message,
      claimed_at: run.claimedAt,
      heartbeat_at: run.heartbeatAt,
      lease_until: run.leaseUntil,
    })),
  };
}
