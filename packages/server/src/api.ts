import { createServer } from "node:net";
import type { Logger } from "pino";
import { openAccess } from "./access/open-access.ts";
import type { Config } from "./config.ts";
import { type App, buildApp } from "./http/app.ts";
import type { HttpContext } from "./http/context.ts";
import { openMedia } from "./media/open-media.ts";
import { TenantMedia } from "./media/tenant-media.ts";
import type { Metrics } from "./observe/metrics.ts";
import { directCommit } from "./pipelines/direct-commit.ts";
import { LocalRunner } from "./pipelines/local-runner.ts";
import { loadProcessors } from "./processors/load.ts";
import { type ProcessServices, stepServices } from "./processors/services.ts";
import type { Service } from "./service.ts";
import { StartupError } from "./startup-error.ts";
import type { Stores } from "./stores.ts";
import { version } from "./version.ts";
import { JobWaiters } from "./work/job-waiters.ts";

export interface ApiOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly stores: Stores;
  readonly metrics: Metrics;
  readonly serverKey: string;
  readonly address: string;
  /** Other processes of this server listen on the same port: the system spreads the connections over them. */
  readonly share: boolean;
}

/** The API of one process: the HTTP application with all it needs, listening. */
export class Api implements Service {
  readonly #options: ApiOptions;
  #services: ProcessServices | undefined;
  #app: App | undefined;
  #url = "";

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Where it listens, once started. */
  get url(): string {
    return this.#url;
  }

  /** @throws StartupError when the address cannot be listened on */
  async start(): Promise<void> {
    const { config, log } = this.#options;
    const content = openMedia(config, log);
    const media = new TenantMedia({ content, database: this.#options.stores.storeDatabase });
    this.#services = stepServices({ config, log, media: content });
    this.#app = await buildApp(await this.#context(this.#services, media));
    try {
      await this.#listen(this.#app);
    } catch (error) {
      throw explain(error, config);
    }
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    await this.#services?.stop();
    this.#app = undefined;
    this.#services = undefined;
  }

  async #context(services: ProcessServices, media: TenantMedia): Promise<HttpContext> {
    const { config, log, stores, metrics, serverKey, address } = this.#options;
    const registry = await loadProcessors({
      pluginPaths: config.pluginPaths,
      packages: config.pluginPackages,
      log,
    });
    const { vcons, jobs, remoteJobs, remoteWorkers, pipelines, servers, events, usage, audit } = stores;
    const { url } = stores.queueDatabase;
    const { modelPrices: prices } = config;
    const commit = directCommit({ store: stores.storeDatabase, queue: stores.queueDatabase, vcons, jobs });
    return {
      config,
      log,
      access: openAccess({ config, stores, log }),
      vcons,
      jobs,
      remoteJobs,
      remoteWorkers,
      jobWaiters: new JobWaiters({ url, pollMs: config.pollSeconds * 1000 }),
      pipelines,
      servers,
      processors: registry,
      commit,
      runner: new LocalRunner({ vcons, jobs, pipelines, registry, services, media, usage, prices, commit }),
      usage,
      audit,
      media,
      jq: services.jq,
      events,
      metrics,
      idempotency: stores.queueDatabase,
      serverKey,
      address,
      readiness: () => readiness(stores),
      version,
    };
  }

  async #listen(app: App): Promise<void> {
    const { host, port } = this.#options.config.rest;
    const { share } = this.#options;
    const protocol = this.#options.config.tlsCertificate === undefined ? "http" : "https";
    const listening = await app.listen({ host, port, ...(share ? { reusePort: true } : {}) });
    this.#url = listening.replace(/^http:/, `${protocol}:`);
    if (host === "localhost") this.#url = `${protocol}://localhost:${portOf(app)}`;
  }
}

/** Whether the port is free for this server alone; shared listening would not show that another one has it. */
export async function claimPort(config: Pick<Config, "rest">): Promise<void> {
  const { host, port } = config.rest;
  await new Promise<void>((done, failed) => {
    const probe = createServer();
    probe.once("error", (error) => failed(explain(error, config)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => done()));
  });
}

function portOf(app: App): number {
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function explain(error: unknown, { rest }: Pick<Config, "rest">): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new StartupError(
      `Port ${rest.port} on ${rest.host} is taken: another program, perhaps another vConductor, listens there.`,
      "Stop the other one, or choose another port: REST_URL=http://localhost:8001",
      { cause: error },
    );
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new StartupError(
      `The server cannot listen on ${rest.url}: ${error instanceof Error ? error.message : code}`,
      "Choose an address of this machine and a port that its user may open (1024 or higher): REST_URL=http://localhost:8000",
      { cause: error },
    );
  }
  return error;
}

async function readiness(stores: Stores) {
  const reasons: string[] = [];
  for (const database of stores.databases) {
    await database.start().catch(() => reasons.push("a database is not available"));
  }
  return { ready: reasons.length === 0, reasons };
}
