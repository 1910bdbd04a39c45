import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { VconductorError } from "../../errors.ts";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { requireStorable } from "../../http/storable.ts";
import type { RemoteWorker } from "../../work/remote-workers.ts";
import type { Pollers } from "./pollers.ts";
import { sendJson, sendNull } from "./problems.ts";
import { manage, tenantIn, work } from "./route-options.ts";
import { Heartbeat, Switch } from "./schemas.ts";
import type { SisyphusStore } from "./store.ts";

const face = "sisyphus";

/** Workers: their heartbeats, and whether they get jobs. */
export function workerRoutes(
  app: App,
  { context }: FaceOptions,
  { store, pollers }: { readonly store: SisyphusStore; readonly pollers: Pollers },
): void {
  const { remoteWorkers, remoteJobs, config } = context;
  const expiryMs = config.clientExpirySeconds * 1000;
  const isOnline = ({ lastSeen }: RemoteWorker) =>
    lastSeen !== null && lastSeen.getTime() > Date.now() - expiryMs;

  app.get("/workers", manage("The workers that send heartbeats"), async (request, reply) => {
    const viewer = tenantIn(request);
    const all = await remoteWorkers.list({ face, viewer });
    const workers = all
      .filter(isOnline)
      .map(statusJson)
      .toSorted((a, b) => (hostOf(a) < hostOf(b) ? -1 : hostOf(a) > hostOf(b) ? 1 : 0));
    return sendJson(reply, { workers, count: workers.length });
  });

  app.get("/workers/:id", work("A worker"), async (request, reply) => {
    const viewer = tenantIn(request);
    const id = idIn(request);
    const worker = await remoteWorkers.get({ face, id, viewer }).catch(missing);
    if (worker === undefined || !isOnline(worker)) return sendNull(reply, 404);
    await pollers.asked(viewer, { id, address: request.ip });
    return sendJson(reply, statusJson(worker));
  });

  app.post("/workers/:id", work("A heartbeat", { body: Heartbeat }), async (request, reply) => {
    const viewer = tenantIn(request);
    const worker = idIn(request);
    const status = request.body as Static<typeof Heartbeat>;
    requireStorable(status, ["body"]);
    requireStorable(worker, ["path", "id"]);
    await remoteWorkers.note({ face, id: worker, viewer, status });
    if (status.status === "startup") {
      for (const runId of await store.runsOf(viewer, worker)) {
        await store.release(viewer, { runId, reason: "its worker has begun anew" });
      }
    } else {
      const { job_id: job, progress } = status;
      const runId = job === undefined ? undefined : await store.claimedBy(viewer, { worker, id: job });
      await remoteJobs.attend({ kind: face, viewer, worker, runId, leaseMs: expiryMs, progress });
    }
    return reply.code(204).send();
  });

  app.patch("/workers/:id", manage("Switch a worker", { body: Switch }), async (request, reply) => {
    const viewer = tenantIn(request);
    const id = idIn(request);
    const { tenant } = viewer;
    const { disabled } = request.body as Static<typeof Switch>;
    requireStorable(id, ["path", "id"]);
    if (disabled !== undefined) await remoteWorkers.setDisabled({ face, id, tenant, disabled });
    const worker = await remoteWorkers.get({ face, id, viewer }).catch(missing);
    return sendJson(reply, { disabled: worker?.disabled ?? false });
  });

  app.delete("/workers/:id", manage("Forget the heartbeat of a worker"), async (request, reply) => {
    const viewer = tenantIn(request);
    const id = idIn(request);
    const worker = await remoteWorkers.get({ face, id, viewer }).catch(missing);
    if (worker === undefined || !isOnline(worker)) return sendNull(reply, 404);
    await remoteWorkers.forgetStatus({ face, id, tenant: viewer.tenant });
    return reply.code(204).send();
  });
}

function statusJson({ id, status, disabled }: RemoteWorker) {
  return { ...Object(status), worker_id: id, attributes: { disabled } };
}

function hostOf(status: Readonly<Record<string, unknown>>): string {
  return String(status.hostname);
}

function missing(error: unknown): undefined {
  if (!(error instanceof VconductorError) || error.code !== "not_found") throw error;
}

function idIn(request: FastifyRequest): string {
  return Object(request.params).id;
}
