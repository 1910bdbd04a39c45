import type { Logger } from "pino";
import type { GatewayConfig } from "./config/gateway-config.ts";
import type { Config } from "./config.ts";
import { callbacks } from "./gateway/callbacks.ts";
import type { CeleryBridge } from "./gateway/celery/bridge.ts";
import { GatewayRequests } from "./gateway/requests.ts";
import { scaler } from "./gateway/scaler.ts";
import { Scaling } from "./gateway/scaling.ts";
import { openBackend } from "./media/open-media.ts";
import { FetchGuard } from "./processors/fetch.ts";
import type { Service } from "./service.ts";
import type { Stores } from "./stores.ts";
import { JobValues } from "./work/job-values.ts";
import { JobWaiters } from "./work/job-waiters.ts";

export interface GatewayServicesOptions {
  readonly stores: Stores;
  readonly config: Config;
  readonly gateway: GatewayConfig;
  readonly serverKey: string;
  readonly log: Logger;
}

/** What the gateway does beside answering requests: callbacks, scaling, and the bridge to Celery where a service needs it. */
export async function gatewayServices(options: GatewayServicesOptions): Promise<readonly Service[]> {
  const { stores, config, gateway, log } = options;
  const { queueDatabase: database, remoteWorkers } = stores;
  const guard = new FetchGuard({ allow: config.fetchAllow });
  const { fetch } = guard;
  const bridge = await celeryBridge(options);
  const celeryLoad = async (queue: string) => await bridge?.load(queue);
  const scaling = new Scaling({ database, remoteWorkers, config: gateway, celeryLoad });
  return [
    { start: async () => {}, stop: () => guard.stop() },
    callbacks({ database, fetch, log }),
    ...(bridge === undefined ? [] : [bridge]),
    scaler({ scaling, config: gateway, log }),
  ];
}

async function celeryBridge({
  stores,
  config,
  gateway,
  serverKey,
  log,
}: GatewayServicesOptions): Promise<CeleryBridge | undefined> {
  const { CELERY: settings, WORKER_SERVICES } = gateway;
  const { queueDatabase: database, remoteJobs, jobs } = stores;
  const isWanted = Object.values(WORKER_SERVICES).some(({ transport }) => transport === "celery");
  if (settings === undefined || !isWanted) return undefined;
  // Loaded only where it is used: servers are small.
  const { CeleryBridge } = await import("./gateway/celery/bridge.ts");
  const { CeleryTasks } = await import("./gateway/celery/tasks.ts");
  const { id } = await database.run((db) =>
    db.selectFrom("vconductor.installation").select("id").executeTakeFirstOrThrow(),
  );
  return new CeleryBridge({
    settings,
    config: gateway,
    jobs,
    remoteJobs,
    requests: new GatewayRequests({ database, jobs }),
    tasks: new CeleryTasks(database),
    waiters: new JobWaiters({ url: database.url, pollMs: config.pollSeconds * 1000 }),
    values: new JobValues({ database, backend: openBackend(config, log) }),
    replies: `vconductor.results.${id}`,
    serverKey,
    leaseMs: config.leaseSeconds * 1000,
    log,
  });
}
