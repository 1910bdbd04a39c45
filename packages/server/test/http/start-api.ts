import { type Logger, pino } from "pino";
import { openAccess } from "../../src/access/open-access.ts";
import { readConfig } from "../../src/config.ts";
import { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { loadFace } from "../../src/faces/load.ts";
import { type App, buildApp } from "../../src/http/app.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { postgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { openBackend, openMedia } from "../../src/media/open-media.ts";
import { TenantMedia } from "../../src/media/tenant-media.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { directCommit } from "../../src/pipelines/direct-commit.ts";
import { LocalRunner } from "../../src/pipelines/local-runner.ts";
import { loadProcessors } from "../../src/processors/load.ts";
import { stepServices } from "../../src/processors/services.ts";
import { openStores, type Stores } from "../../src/stores.ts";
import { version } from "../../src/version.ts";
import { JobValues } from "../../src/work/job-values.ts";
import { JobWaiters } from "../../src/work/job-waiters.ts";
import { createDatabase } from "../setup/database.ts";
import { type Answer, type CallOptions, call } from "./call.ts";

export interface TestApi {
  readonly app: App;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly stores: Stores;
  readonly ledger: Ledger;
  /** Sends a request; a body that is not text is sent as JSON, without a Content-Type. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export interface TestApiOptions {
  /** Settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Logger;
}

/** The HTTP application on an empty database of its own, listening on this machine. */
export async function startApi({
  env = {},
  log = pino({ level: "silent" }),
}: TestApiOptions = {}): Promise<TestApi> {
  const own = await createDatabase();
  const config = readConfig({ VCON_STORAGE_URL: own.url, ...env });
  const setup = new Database({ url: own.url, poolSize: 1 });
  await migrate(setup);
  await setup.stop();
  const { url: database } = own;
  const urls = { vcons: database, queues: database, pipelines: database, state: database };
  const stores = openStores({ urls, poolSize: 5, leaseMs: 30_000, application: "test api" });
  await stores.start();
  const { vcons, jobs, pipelines, servers, events } = stores;
  const content = openMedia(config, log);
  const media = new TenantMedia({ content, database: stores.storeDatabase });
  const services = stepServices({ config, log, media: content });
  const processors = await loadProcessors({ pluginPaths: config.pluginPaths, packages: [], log });
  const commit = directCommit({ store: stores.storeDatabase, queue: stores.queueDatabase, vcons, jobs });
  const values = new JobValues({ database: stores.queueDatabase, backend: openBackend(config, log) });
  const ledger = postgresLedger({
    database: stores.queueDatabase,
    jobs,
    remoteJobs: stores.remoteJobs,
    serverKey: "127.0.0.1:8000:1:1.0",
  });
  const app = await buildApp({
    config,
    log,
    access: openAccess({ config, stores, log }),
    vcons,
    jobs,
    remoteJobs: stores.remoteJobs,
    remoteWorkers: stores.remoteWorkers,
    values,
    jobWaiters: new JobWaiters({ url: database, pollMs: 1000 }),
    loadFace,
    ledger,
    pipelines,
    servers,
    processors,
    commit,
    runner: new LocalRunner({
      vcons,
      jobs,
      pipelines,
      registry: processors,
      services,
      media,
      values,
      usage: stores.usage,
      prices: config.modelPrices,
      commit,
    }),
    usage: stores.usage,
    audit: stores.audit,
    media,
    jq: services.jq,
    events,
    metrics: new Metrics({ jobs }),
    queueDatabase: stores.queueDatabase,
    serverKey: "127.0.0.1:8000:1:1.0",
    address: "127.0.0.1:8000",
    readiness: async () => ({ ready: true, reasons: [] }),
    version,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    app,
    url,
    stores,
    ledger,
    call: (method, path, options) => call(method, `${url}${path}`, options),
    async stop() {
      await app.close();
      await services.stop();
      await stores.stop();
      await own.drop();
    },
  };
}
