import type { Logger } from "pino";
import { chainer } from "./access/audit/chainer.ts";
import { isAudited } from "./access/audit/is-audited.ts";
import { Api, claimPort } from "./api.ts";
import { type Config, configAsState } from "./config.ts";
import { Databases } from "./databases.ts";
import { Housekeeping } from "./jobs/housekeeping.ts";
import { endLean } from "./lean-start.ts";
import { openBackend } from "./media/open-media.ts";
import { createLog } from "./observe/log.ts";
import { Metrics } from "./observe/metrics.ts";
import { forgetOld } from "./retention.ts";
import { Registration } from "./servers/registration.ts";
import type { Service } from "./service.ts";
import { StartupError } from "./startup-error.ts";
import { openStores, type Stores } from "./stores.ts";
import { version } from "./version.ts";
import { JobValues } from "./work/job-values.ts";
import { afterDeath, failureQueues } from "./workers/after-death.ts";
import { Supervisor } from "./workers/supervisor.ts";

const apiProgram = new URL("./api-process.ts", import.meta.url);
const workerProgram = new URL("./workers/pipeline-worker.ts", import.meta.url);

/** A running vConductor: builds everything from the settings, starts it in order, and stops it in the opposite one. */
export class Server implements Service {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #started: Service[] = [];
  #url = "";
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(config: Config) {
    this.#config = config;
    this.#log = createLog(config);
  }

  /** Where the API listens, once started. */
  get url(): string {
    return this.#url;
  }

  /** @throws StartupError telling what is wrong and what to do about it */
  async start(): Promise<void> {
    this.#starting = this.#start();
    try {
      await this.#starting;
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
      // A start that is under way stops at its next part.
      await this.#starting.catch(() => {});
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
    await this.#add(databases);
    if (config.migrate) await databases.migrate();
    else await databases.checkSchemas();

    const leaseMs = config.leaseSeconds * 1000;
    const { databasePoolSize: poolSize, crashLimit } = config;
    const stores = openStores({ urls: databases.urls, poolSize, leaseMs, application: "vconductor server" });
    await this.#add(stores);
    const values = new JobValues({ database: stores.queueDatabase, backend: openBackend(config, log) });
    const registration = this.#register(stores);
    const metrics = new Metrics({ jobs: stores.jobs });
    const { key, address } = registration;
    // A port that is taken must show before anything is registered or claimed.
    await claimPort(config);
    await this.#add(registration);
    const queues = config.workQueues.map(({ name, weight }) => ({ queue: name, weight }));
    await stores.servers.configure({ address, queues });
    await this.#add(stores.textIndex);
    await this.#add(
      new Housekeeping({
        jobs: stores.jobs,
        log,
        leaseMs,
        crashLimit,
        retentionDays: config.runRetentionDays,
        failureQueueOf: failureQueues(stores),
        purge: async () => {
          await forgetOld(stores, { days: config.runRetentionDays });
          await values.sweep();
        },
      }),
    );
    const { gateway } = config;
    if (gateway !== undefined && config.faces.includes("gateway")) {
      // Loaded only where there are services: a server is small.
      const { gatewayServices } = await import("./gateway-services.ts");
      for (const service of await gatewayServices({ stores, config, gateway, serverKey: key, log })) {
        await this.#add(service);
      }
    }
    if (isAudited(config)) await this.#add(chainer({ audit: stores.audit, log }));
    const stopMs = (config.stopGraceSeconds + 10) * 1000;
    const children = { urls: databases.urls, server: key, address, stopMs, log };
    if (config.runBackgroundJobs) {
      await this.#add(
        new Supervisor({
          ...children,
          program: workerProgram,
          title: "pipeline worker",
          count: config.workers,
          onDeath: async (worker, how) => {
            metrics.workerDeaths.inc();
            await afterDeath({ worker, how, jobs: stores.jobs, pipelines: stores.pipelines, crashLimit });
          },
        }),
      );
    }
    // The API comes last, and so stops first: nothing more comes in while the workers finish.
    const share = config.restApiWorkers > 1;
    const api = new Api({ config, log, stores, metrics, serverKey: key, address, share });
    await this.#add(api);
    this.#url = api.url;
    await this.#add(
      new Supervisor({
        ...children,
        program: apiProgram,
        title: "API process",
        count: config.restApiWorkers - 1,
        onDeath: async () => {},
      }),
    );
    await registration.enter("running");
    endLean();
    this.#started.push({ start: async () => {}, stop: () => registration.enter("shutting_down") });
    log.info({ url: this.#url, workers: config.workers }, "vConductor is running");
  }

  async #add(service: Service): Promise<void> {
    if (this.#stopping !== undefined) {
      throw new StartupError(
        "The server was told to stop while it was starting.",
        "Start it again when it is wanted.",
      );
    }
    this.#started.push(service);
    await service.start();
  }

  #register(stores: Stores): Registration {
    const { rest, workers } = this.#config;
    return new Registration({
      registry: stores.servers,
      log: this.#log,
      deadAfterMs: this.#config.leaseSeconds * 1000,
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
}
