import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import cors from "@fastify/cors";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  LogController,
  type RawServerDefault,
} from "fastify";
import { addressOf, type FaceName } from "../config/face-settings.ts";
import { addAuditing } from "./auditing.ts";
import { addAuthentication } from "./authentication.ts";
import { addBodyParser } from "./body.ts";
import type { HttpContext } from "./context.ts";
import { addIdempotency } from "./idempotency.ts";
import { addAddressLimit, addPrincipalLimit } from "./limits.ts";
import { addDocumentation, addOpenApi } from "./openapi.ts";
import { addProblems, answerBrokenRequest, badUrl } from "./problems.ts";
import { RoutePatterns } from "./route-patterns.ts";
import { auditRoutes } from "./routes/audit.ts";
import { eventRoutes } from "./routes/events.ts";
import { failedJobRoutes } from "./routes/failed-jobs.ts";
import { inProgressRoutes } from "./routes/in-progress.ts";
import { ingestRoutes } from "./routes/ingest.ts";
import { mediaRoutes } from "./routes/media.ts";
import { operationRoutes } from "./routes/operations.ts";
import { pipelineRunRoutes } from "./routes/pipeline-runs.ts";
import { pipelineRoutes } from "./routes/pipelines.ts";
import { processorRoutes } from "./routes/processors.ts";
import { queueRoutes } from "./routes/queues.ts";
import { remoteWorkerRoutes } from "./routes/remote-workers.ts";
import { runRoutes } from "./routes/runs.ts";
import { serverRoutes } from "./routes/servers.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { usageRoutes } from "./routes/usage.ts";
import { vconAccessRoutes } from "./routes/vcon-access.ts";
import { vconQueryRoutes } from "./routes/vcon-queries.ts";
import { vconRoutes } from "./routes/vcons.ts";
import { workRoutes } from "./routes/work.ts";
import { addSharedSchemas } from "./schemas.ts";
import { addStopping } from "./stopping.ts";
import { Tls } from "./tls.ts";
import { addTrailingSlash } from "./trailing-slash.ts";
import { compileValidator } from "./validation.ts";

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * The HTTP application, ready to listen.
 *
 * @param only the face that it is the API of; undefined: it is ours, with all faces below their names
 */
export async function buildApp(context: HttpContext, only?: FaceName): Promise<App> {
  const { config, log, metrics } = context;
  const tls = tlsOf(context, only);
  const app: App = Fastify({
    ...serverOptions(config, tls),
    loggerInstance: log as FastifyBaseLogger,
    // One line is logged for each request when it has been answered; see below.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    bodyLimit: config.maxBodyBytes,
    trustProxy: proxiesOf(config),
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    // Ours say the same in the words of the API; see stopping.ts.
    // Closing waits for requests under way; Fastify would give up on it after ten seconds.
    pluginTimeout: (config.stopGraceSeconds + 30) * 1000,
    return503OnClosing: false,
    // Told apart from those of other processes and other starts, for whoever looks one up in the log.
    genReqId: requestIds(),
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (_, request, reply) => badUrl(request, reply),
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(compileValidator);
  // Response schemas describe; they never filter what is sent.
  app.setSerializerCompiler(() => JSON.stringify);
  addBodyParser(app, config);
  addSharedSchemas(app);
  const routes = new RoutePatterns(app);
  if (only === undefined) addProblems(app, { log, routes });
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  const finishRequests = addStopping(app, config);
  app.addHook("onResponse", (request, reply, done) => {
    const { method, id, url, routeOptions } = request;
    const route = routeOptions.url ?? "unknown";
    const seconds = reply.elapsedTime / 1000;
    metrics.requests.observe({ method, route, status: reply.statusCode }, seconds);
    if (log.isLevelEnabled("debug")) {
      log.debug({ id, method, url, status: reply.statusCode, ms: reply.elapsedTime }, "request");
    }
    done();
  });
  addIdempotency(app, context.queueDatabase);
  // Fastify adds a charset, which JSON has no use for; a client of the reference compares the header to the letter.
  app.addHook("onSend", (_, reply, payload, done) => {
    const type = reply.getHeader("content-type");
    if (type === "application/json; charset=utf-8") reply.header("content-type", "application/json");
    done(null, payload);
  });
  if (config.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...config.corsOrigins],
      credentials: true,
      // An OPTIONS request that is no preflight gets the same answer, not an error in plain text.
      strictPreflight: false,
      methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      exposedHeaders: [
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "WWW-Authenticate",
        "ETag",
        "Location",
        "Retry-After",
        "X-Request-Id",
        "Vconductor-Job-Id",
        "Idempotency-Replayed",
      ],
    });
  }
  // After CORS, whose headers a redirect needs as well.
  addTrailingSlash(app, routes);
  addAddressLimit(app, context);
  addAuthentication(app, context);
  addPrincipalLimit(app, context);
  addAuditing(app, context);
  if (only === undefined) await addOwnRoutes(app, { context, routes });
  else await (await context.loadFace(only)).add(app, { context, routes, prefix: "" });
  app.addHook("preClose", finishRequests);
  if (tls !== undefined) {
    app.addHook("onListen", async () => tls.start());
    app.addHook("onClose", async () => tls.stop());
  }
  await app.ready();
  return app;
}

async function addOwnRoutes(
  app: App,
  { context, routes }: { readonly context: HttpContext; readonly routes: RoutePatterns },
): Promise<void> {
  const { config } = context;
  await addOpenApi(app, context);
  if (config.launchAdminApi) {
    serverRoutes(app, context);
    queueRoutes(app, context);
    failedJobRoutes(app, context);
    pipelineRoutes(app, context);
    inProgressRoutes(app, context);
    runRoutes(app, context);
    workRoutes(app, context);
    remoteWorkerRoutes(app, context);
    usageRoutes(app, context);
    tokenRoutes(app, context);
    auditRoutes(app, context);
    eventRoutes(app, context);
  }
  if (config.launchVconApi) {
    vconRoutes(app, context);
    ingestRoutes(app, context);
    vconQueryRoutes(app, context);
    vconAccessRoutes(app, context);
    processorRoutes(app, context);
    pipelineRunRoutes(app, context);
    mediaRoutes(app, context);
  }
  operationRoutes(app, context);
  await addDocumentation(app);
  for (const name of config.faces) {
    // Without services there is nothing to ask.
    if (name === "gateway" && config.gateway === undefined) continue;
    const face = await context.loadFace(name);
    const prefix = `/${name}`;
    await app.register(async (child) => face.add(child, { context, routes, prefix }), { prefix });
  }
}

/** Which senders of X-Forwarded-* are believed: so many, counted from this server. */
function proxiesOf({
  trustProxy,
}: HttpContext["config"]): false | ((address: string, hop: number) => boolean) {
  return trustProxy === false ? false : (_, hop) => hop < trustProxy;
}

function tlsOf({ config, log }: HttpContext, only: FaceName | undefined): Tls | undefined {
  const { tlsCertificate: certificate, tlsKey: key } = config;
  // A face may have an address without TLS, for clients that do not speak it.
  if (only !== undefined && addressOf(config, only)?.protocol !== "https") return undefined;
  if (certificate === undefined || key === undefined) return undefined;
  return new Tls({ files: { certificate, key }, log });
}

/** How connections are taken. A client has so long to send its request; answers may take longer (long polls, events). */
function serverOptions(
  config: Pick<HttpContext["config"], "headersTimeoutSeconds" | "requestTimeoutSeconds">,
  tls: Tls | undefined,
): Pick<
  FastifyHttpOptions<RawServerDefault>,
  "http" | "serverFactory" | "requestTimeout" | "keepAliveTimeout"
> {
  const headersTimeout = config.headersTimeoutSeconds * 1000;
  const requestTimeout = config.requestTimeoutSeconds * 1000;
  const keepAliveTimeout = 75_000;
  // How often connections are looked at: a slow one is closed so much too late at most.
  const http = { headersTimeout, connectionsCheckingInterval: Math.min(5_000, headersTimeout / 4) };
  if (tls === undefined) return { http, requestTimeout, keepAliveTimeout };
  return {
    serverFactory: (handler) => tls.makeServer(handler, { ...http, requestTimeout, keepAliveTimeout }),
  };
}

function requestIds(): () => string {
  const start = randomBytes(6).toString("base64url");
  let count = 0;
  return () => {
    count += 1;
    return `${start}-${count.toString(36)}`;
  };
}
