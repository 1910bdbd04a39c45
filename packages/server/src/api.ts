import { createServer } from "node:net";
import type { Logger } from "pino";
import { openAccess } from "./access/open-access.ts";
import type { ListenAddress } from "./config/addresses.ts";
import { addressOf, type FaceName } from "./config/face-settings.ts";
import type { Config } from "./config.ts";
import { loadFace } from "./faces/load.ts";
import { type App, buildApp } from "./http/app.ts";
import type { HttpContext } from "./http/context.ts";
import { postgresLedger } from "./ledger/postgres-ledger.ts";
import { openBackend, openMedia } from "./media/open-media.ts";
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
import { JobValues } from "./work/job-values.ts";
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
  #apps: readonly App[] = [];
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
    const context = await this.#context(this.#services, media);
    for (const place of placesOf(config)) {
      const app = await buildApp(context, place.face);
      this.#apps = [...this.#apps, app];
      await this.#listen(app, place);
    }
    this.#url = urlOf(this.#apps[0], config);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.#services?.stop();
    this.#apps = [];
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
    const values = new JobValues({ database: stores.queueDatabase, backend: openBackend(config, log) });
    const commit = directCommit({ store: stores.storeDatabase, queue: stores.queueDatabase, vcons, jobs });
    return {
      config,
      log,
      access: openAccess({ config, stores, log }),
      vcons,
      jobs,
      remoteJobs,
      remoteWorkers,
      values,
      jobWaiters: new JobWaiters({ url, pollMs: config.pollSeconds * 1000 }),
      loadFace,
      ledger: postgresLedger({ database: stores.queueDatabase, jobs, remoteJobs, serverKey }),
      pipelines,
      servers,
      processors: registry,
      commit,
      runner: new LocalRunner({
        vcons,
        jobs,
        pipelines,
        registry,
        services,
        media,
        values,
        usage,
        prices,
        commit,
      }),
      usage,
      audit,
      media,
      jq: services.jq,
      events,
      metrics,
      queueDatabase: stores.queueDatabase,
      serverKey,
      address,
      readiness: () => readiness(stores),
      version,
    };
  }

  async #listen(app: App, place: Place): Promise<void> {
    const { host, port } = place.address;
    try {
      await app.listen({ host, port, ...(this.#options.share ? { reusePort: true } : {}) });
    } catch (error) {
      throw explain(error, place);
    }
  }
}

/** Where the server listens, and which setting says so. */
interface Place {
  readonly address: ListenAddress;
  readonly variable: string;
  /** Undefined: for our own API. */
  readonly face?: FaceName;
}

/** Our own address first, then those of faces that have one. */
function placesOf(config: Config): readonly Place[] {
  const ofFaces = config.faces.flatMap((face): readonly Place[] => {
    const address = addressOf(config, face);
    return address === undefined ? [] : [{ address, variable: `${face.toUpperCase()}_URL`, face }];
  });
  return [{ address: config.rest, variable: "REST_URL" }, ...ofFaces];
}

/** Whether the ports are free for this server alone; shared listening would not show that another one has them. */
export async function claimPort(config: Config): Promise<void> {
  for (const place of placesOf(config)) {
    const { host, port } = place.address;
    await new Promise<void>((done, failed) => {
      const probe = createServer();
      probe.once("error", (error) => failed(explain(error, place)));
      probe.listen({ host, port, exclusive: true }, () => probe.close(() => done()));
    });
  }
}

/** Where it really listens: the port may have been any free one. */
function urlOf(
  app: App | undefined,
  { rest, tlsCertificate }: Pick<Config, "rest" | "tlsCertificate">,
): string {
  const address = app?.server.address();
  if (app === undefined || typeof address !== "object" || address === null) return rest.url;
  const protocol = tlsCertificate === undefined ? "http" : "https";
  const host =
    address.family === "IPv6" && rest.host !== "localhost" ? `[${address.address}]` : address.address;
  return `${protocol}://${rest.host === "localhost" ? "localhost" : host}:${address.port}`;
}

function explain(error: unknown, { address, variable }: Place): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new StartupError(
      `Port ${address.port} on ${address.host} is taken: another program, perhaps another vConductor, listens there.`,
      `Stop the other one, or choose another port: ${variable}=http://localhost:8001`,
      { cause: error },
    );
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new StartupError(
      `The server cannot listen on ${address.url}: ${error instanceof Error ? error.message : code}`,
      `Choose an address of this machine and a port that its user may open (1024 or higher): ${variable}=http://localhost:8000`,
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
