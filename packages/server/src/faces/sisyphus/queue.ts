import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import type { App } from "../../http/app.ts";
import { callerOf } from "../../http/authentication.ts";
import type { FaceOptions } from "../../http/face.ts";
import { signalOf } from "../../http/request-signal.ts";
import { requireStorable } from "../../http/storable.ts";
import type { Pollers } from "./pollers.ts";
import { sendJson, sendNull, sendText } from "./problems.ts";
import { manage, tenantIn, work } from "./route-options.ts";
import { Completion, JobPost, Switch } from "./schemas.ts";
import type { SisyphusStore } from "./store.ts";

/** Until it is known whose a job is: it may take long to prepare, and its worker says nothing of it meanwhile. */
const unattendedMs = 300_000;

const Finished = Type.Object({
  state: Type.Optional(Type.Enum(["completed", "failed"])),
  offset: Type.Optional(Type.String({ pattern: "^\\d{1,9}$" })),
  limit: Type.Optional(Type.String({ pattern: "^\\d{1,3}$" })),
});

/** The queue and its jobs. */
export function queueRoutes(
  app: App,
  { context }: FaceOptions,
  { store, pollers }: { readonly store: SisyphusStore; readonly pollers: Pollers },
): void {
  const { values, config } = context;

  app.get("/queue", work("The jobs that wait, oldest first"), async (request, reply) => {
    const viewer = tenantIn(request);
    const [{ documents, entries }, disabled] = await Promise.all([
      store.waiting(viewer),
      store.isDisabled(viewer),
    ]);
    const attributes = JSON.stringify({ disabled });
    return sendText(
      reply,
      `{"queue":[${documents.join(",")}],"entries":${entries},"attributes":${attributes}}`,
    );
  });

  app.post("/queue", manage("Add a job", { body: JobPost }), async (request, reply) => {
    requireStorable(request.body, ["body"]);
    return sendJson(reply, { job_id: await store.add(callerOf(request), request.bodyText ?? "") });
  });

  app.patch("/queue", manage("Switch the queue", { body: Switch }), async (request, reply) => {
    const { disabled } = request.body as Static<typeof Switch>;
    const viewer = tenantIn(request);
    if (disabled !== undefined) await store.setDisabled(viewer, disabled);
    return sendJson(reply, { disabled: await store.isDisabled(viewer) });
  });

  app.delete("/queue", manage("Delete all jobs that wait"), async (request, reply) => {
    await store.clear(tenantIn(request));
    return reply.code(204).send();
  });

  // HEAD would take a job too, and lose it.
  app.get(
    "/queue/poll",
    { ...work("Take the oldest job"), exposeHeadRoute: false },
    async (request, reply) => {
      const viewer = tenantIn(request);
      const signal = signalOf(reply);
      const poller = await pollers.polls(viewer, request);
      const leaseMs = poller === undefined ? unattendedMs : config.clientExpirySeconds * 1000;
      const { worker, isCertain } = poller ?? { worker: `at ${request.ip}`, isCertain: false };
      const polled = await store.poll(viewer, { worker, isCertain, leaseMs });
      if (polled === undefined) return sendNull(reply, 404);
      if (signal.aborted) {
        await store.release(viewer, { ...polled, reason: "its worker went away before it had the job" });
      }
      return sendText(reply, polled.document);
    },
  );

  app.get("/jobs/:job_id", work("A job that waits or runs"), async (request, reply) => {
    const document = await store.find(tenantIn(request), idIn(request));
    return document === undefined ? sendNull(reply, 404) : sendText(reply, document);
  });

  app.delete("/jobs/:job_id", manage("Delete a job"), async (request, reply) => {
    const removed = await store.remove(tenantIn(request), idIn(request));
    return removed ? reply.code(204).send() : sendNull(reply, 404);
  });

  app.patch("/jobs/:job_id/completed", work("End a job", { body: Completion }), async (request, reply) => {
    const { failed = false, info = {} } = request.body as Static<typeof Completion>;
    const viewer = tenantIn(request);
    const kept = await values.keep(info);
    const found = await store.finish(viewer, idIn(request), { failed, info: kept });
    return found ? reply.code(204).send() : sendNull(reply, 404);
  });

  app.get(
    "/jobs",
    manage("The jobs that have ended, the last first", { querystring: Finished }),
    async (request, reply) => {
      const { state, offset = "0", limit = "100" } = request.query as Static<typeof Finished>;
      const viewer = tenantIn(request);
      const page = { state, offset: Number(offset), limit: Math.max(1, Number(limit)) };
      const found = await store.finished(viewer, page);
      const texts = await Promise.all(
        found.map(async ({ document, info, ...job }) => {
          const more = {
            failed: job.state === "failed",
            finished: job.finishedAt,
            info: await values.read(info),
          };
          return `${document.slice(0, -1)},${JSON.stringify(more).slice(1)}`;
        }),
      );
      return sendText(reply, `{"jobs":[${texts.join(",")}]}`);
    },
  );
}

function idIn(request: FastifyRequest): string {
  return Object(request.params).job_id;
}
