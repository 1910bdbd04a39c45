import type { Logger } from "pino";
import { type Config, configAsState } from "./config.ts";
import { Databases } from "./databases.ts";
import { buildApp } from "./http/app.ts";
import type { HttpContext } from "./http/context.ts";
import { Housekeeping } from "./jobs/housekeeping.ts";
import { createLog } from "./observe/log.ts";
import { Metrics } from "./observe/metrics.ts";
import { directCommit } from "./pipelines/direct-commit.ts";
import { LocalRunner } from "./pipelines/local-runner.ts";
import { loadProcessors } from "./processors/load.ts";
import { type ProcessServices, stepServices } from "./processors/services.ts";
import { Registration } from "./servers/registration.ts";
import type { Service } from "./service.ts";
import { StartupError } from "./startup-error.ts";
import { openStores, type Stores } from "./stores.ts";
import { version } from "./version.ts";
import { afterDeath, failureQueues } from "./workers/after-death.ts";
import { Supervisor } from "./workers/supervisor.ts";

/** A running vConductor: builds everything from the settings, starts it in order, and stops it in the opposite one. */
export class Server implements Service {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #started: Service[] = [];
  #address = "";
  #stopping: Promise<void> | undefined;

  constructor(config: Config) {
    this.#config = config;
    this.#log = createLog(config);
  }

  /** Where the API listens, once started. */
  get url(): string {
    return this.#address;
  }

  /** @throws StartupError telling what is wrong and what to do about it */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Stops cleanly: takes no more requests and no more jobs, lets runs finish for a while, hands back the rest,
   * takes itself off the list of servers, and ends the embedded database last.
   */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const service of this.#started.splice(0).reverse()) {
        await service
          .stop()
          .catch((error: unknown) => this.#log.error({ err: error }, "a part did not stop cleanly"));
      }
    })();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const config = this.#config;
    const log = this.#log;
    const databases = new Databases({ config, log: (line) => log.warn(line) });
    this.#started.push(databases);
    await databases.start();
    if (config.migrate) await databases.migrate();
    else await databases.checkSchemas();

    const leaseMs = config.leaseSeconds * 1000;
    const { databasePoolSize: poolSize, crashLimit } = config;
    const stores = openStores({ urls: databases.urls, poolSize, leaseMs, application: "vconductor server" });
    await this.#add(stores);
    const registration = this.#register(stores);
    const metrics = new Metrics({ jobs: stores.jobs });
    const app = await buildApp(await this.#httpContext({ stores, registration, metrics }));

    // Listening comes first: a port that is taken must show before anything is registered or claimed.
    await this.#add({ start: () => this.#listen(app), stop: () => app.close() });
    await this.#add(registration);
    const queues = config.workQueues.map(({ name, weight }) => ({ queue: name, weight }));
    await stores.servers.configure({ address: registration.address, queues });
    await this.#add(stores.textIndex);
    await this.#add(
      new Housekeeping({
        jobs: stores.jobs,
        log,
        leaseMs,
        crashLimit,
        retentionDays: config.runRetentionDays,
        failureQueueOf: failureQueues(stores.pipelines),
        purge: () => forgetOldRequests(stores),
      }),
    );
    if (config.runBackgroundJobs) {
      await this.#add(
        new Supervisor({
          count: config.workers,
          urls: databases.urls,
          server: registration.key,
          address: registration.address,
          stopMs: (config.stopGraceSeconds + 10) * 1000,
          log,
          metrics,
          onDeath: (worker, how) =>
            afterDeath({ worker, how, jobs: stores.jobs, pipelines: stores.pipelines, crashLimit }),
        }),
      );
    }
    await registration.enter("running");
    this.#started.push({ start: async () => {}, stop: () => registration.enter("shutting_down") });
    log.info({ url: this.#address, workers: config.workers }, "vConductor is running");
  }

  async #add(service: Service): Promise<void> {
    this.#started.push(service);
    await service.start();
  }

  #register(stores: Stores): Registration {
    const { rest, workers } = this.#config;
    return new Registration({
      registry: stores.servers,
      log: this.#log,
      about: {
        ...version.reference,
        vconductor: version.vconductor,
        host: rest.host,
        port: rest.port,
        pid: process.pid,
        start_time: Date.now() / 1000,
        num_workers: workers,
        settings: configAsState(this.#config),
      },
    });
  }

  async #httpContext(options: {
    readonly stores: Stores;
    readonly registration: Registration;
    readonly metrics: Metrics;
  }): Promise<HttpContext> {
    const { stores, registration, metrics } = options;
    const config = this.#config;
    const log = this.#log;
    const registry = await loadProcessors({
      pluginPaths: config.pluginPaths,
      packages: config.pluginPackages,
      log,
    });
    const services: ProcessServices = stepServices({ config, log });
    this.#started.push({ start: async () => {}, stop: () => services.stop() });
    const { vcons, jobs, pipelines, servers, events } = stores;
    const commit = directCommit({ store: stores.storeDatabase, queue: stores.queueDatabase, vcons, jobs });
    return {
      config,
      log,
      vcons,
      jobs,
      pipelines,
      servers,
      processors: registry,
      runner: new LocalRunner({ vcons, jobs, pipelines, registry, services, commit }),
      jq: services.jq,
      events,
      metrics,
      idempotency: stores.queueDatabase,
      serverKey: registration.key,
      address: registration.address,
      readiness: () => readiness(stores),
      version,
    };
  }

  async #listen(app: Awaited<ReturnType<typeof buildApp>>): Promise<void> {
    const { rest } = this.#config;
    try {
      this.#address = await app.listen({ host: rest.host, port: rest.port });
      if (rest.host === "localhost")
        this.#address = this.#address.replace(/\/\/[^:]+:|\/\/\[::1\]:/, "//localhost:");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EADDRINUSE") {
        throw new StartupError(
          `Port ${rest.port} on ${rest.host} is taken: another program, perhaps another vConductor, listens there.`,
          "Stop the other one, or choose another port: REST_URL=http://localhost:8001",
          { cause: error },
        );
      }
      if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
        throw new StartupError(
          `The server cannot listen on ${rest.url}: ${error instanceof Error ? error.message : code}`,
          "Choose an address of this machine and a port that its user may open (1024 or higher): REST_URL=http://localhost:8000",
          { cause: error },
        );
      }
      throw error;
    }
  }
}

async function readiness(stores: Stores) {
  const reasons: string[] = [];
  for (const database of stores.databases) {
    await database.start().catch(() => reasons.push("a database is not available"));
  }
  return { ready: reasons.length === 0, reasons };
}

async function forgetOldRequests({ queueDatabase }: Stores): Promise<void> {
  const dayAgo = new Date(Date.now() - 86_400_000);
  await queueDatabase.run((db) =>
    db.deleteFrom("vconductor.idempotent_request").where("created_at", "<", dayAgo).execute(),
  );
}
