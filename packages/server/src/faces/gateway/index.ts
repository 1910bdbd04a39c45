import multipart from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { GatewayRequests } from "../../gateway/requests.ts";
import { Scaling } from "../../gateway/scaling.ts";
import type { Face } from "../../http/face.ts";
import { Repetition } from "../../repetition.ts";
import { addParsers } from "./fields.ts";
import { fileRoutes } from "./files.ts";
import { overviewOf, serviceInfoRoutes, statusRoutes, type WorkersOf } from "./info.ts";
import { needsRoutes } from "./needs.ts";
import { addGatewayProblems, GatewayError } from "./problems.ts";
import { readOptions } from "./read-options.ts";
import { type Named, serviceRoutes } from "./services.ts";
import { TemporaryFiles } from "./temporary-files.ts";
import { workflowRoutes } from "./workflow.ts";

/** The API of the CANARIE Service Gateway. */
export const gateway: Face = {
  name: "gateway",
  async add(app, options) {
    const { config, queueDatabase: database, jobs, remoteWorkers } = options.context;
    // The face of a server without a gateway has no services.
    const gatewayConfig = config.gateway ?? { WORKER_SERVICES: {} };
    const services = gatewayConfig.WORKER_SERVICES;
    const scaling = new Scaling({ database, remoteWorkers, config: gatewayConfig });
    const requests = new GatewayRequests({ database, jobs });
    const files = new TemporaryFiles(config);
    const housekeeping = new Repetition({
      work: () => files.tidy(),
      failed: (error) => options.context.log.warn({ err: error }, "old temporary files could not be removed"),
      // They are kept a little longer than they have to be.
      everyMs: Math.max(1000, Math.min(files.longestMs / 4, 600_000)),
    });
    app.addHook("onReady", () => housekeeping.start());
    app.addHook("onClose", () => housekeeping.stop());
    const limits = { fileSize: 2 ** 31, fieldSize: config.maxBodyBytes, files: 100, fields: 1000 };
    await app.register(multipart, { limits });
    addParsers(app);
    addGatewayProblems(app, options);
    statusRoutes(app);
    fileRoutes(app, options, files);
    needsRoutes(app, options, scaling);
    workflowRoutes(app, options, { requests, files });

    const named = (name: string): Named => {
      const service = Object.hasOwn(services, name) ? services[name] : undefined;
      if (service === undefined) throw new GatewayError("UnknownServiceError", `There is no service ${name}`);
      return { name, service };
    };
    const workersOf: WorkersOf = async (name, { transport, celery_queue_name: queue }) =>
      transport === "celery"
        ? ((await scaling.latest()).find(({ service, stale }) => service === name && !stale)?.workers ?? 0)
        : await remoteWorkers.count({ queue });
    const inPath = (request: FastifyRequest) => named(String(Object(request.params).service));
    const overview = services["."] === undefined ? overviewOf(services) : undefined;
    for (const part of [
      { requests, workersOf, base: "/:service", serviceIn: inPath, overview: undefined },
      { requests, workersOf, base: "", serviceIn: () => named("."), overview },
    ]) {
      serviceRoutes(app, options, part);
      serviceInfoRoutes(app, part);
    }
    app.get("/:service", readOptions(), async (request, reply) => {
      const { name } = inPath(request);
      const [, query = ""] = /(\?.*)$/s.exec(request.url) ?? [];
      return reply.redirect(`${options.prefix}/${encodeURIComponent(name)}/${query}`, 308);
    });
  },
};
