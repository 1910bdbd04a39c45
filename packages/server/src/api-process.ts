import { Api } from "./api.ts";
import { readConfig } from "./config.ts";
import { endLean } from "./lean-start.ts";
import { createLog } from "./observe/log.ts";
import { Metrics } from "./observe/metrics.ts";
import { openStores } from "./stores.ts";
import { obeySupervisor, type Stop } from "./workers/child.ts";
import type { FromWorker, WorkerStart } from "./workers/worker-messages.ts";

// The main module of a further API process (NUM_RESTAPI_WORKERS): it listens on the server's port beside it.

const config = readConfig(process.env);
const log = createLog(config);

obeySupervisor({ log, title: "API process", run });

async function run({ urls, server, address }: WorkerStart, onStop: (stop: Stop) => void): Promise<void> {
  const stores = openStores({
    urls,
    poolSize: config.databasePoolSize,
    leaseMs: config.leaseSeconds * 1000,
    application: "vconductor api",
  });
  await stores.start();
  const metrics = new Metrics({ jobs: stores.jobs });
  const api = new Api({ config, log, stores, metrics, serverKey: server, address, share: true });
  await api.start();
  let stopping: Promise<void> | undefined;
  onStop(() => {
    stopping ??= (async () => {
      await api.stop();
      await stores.stop();
      process.exit(0);
    })();
    return stopping;
  });
  endLean();
  const ready: FromWorker = { type: "ready" };
  process.send?.(ready);
}
