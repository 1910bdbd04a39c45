import { Api } from "./api.ts";
import { readConfig } from "./config.ts";
import { endLean } from "./lean-start.ts";
import { createLog } from "./observe/log.ts";
import { Metrics } from "./observe/metrics.ts";
import { openStores } from "./stores.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./workers/worker-messages.ts";

// The main module of a further API process (NUM_RESTAPI_WORKERS): it listens on the server's port beside it.

const config = readConfig(process.env);
const log = createLog(config);

let stop: (() => Promise<void>) | undefined;
process.on("message", (message: ToWorker) => {
  if (message.type === "start") {
    run(message).catch((error: unknown) => {
      log.fatal({ err: error }, "the API process could not start");
      process.exit(1);
    });
  } else void stop?.();
});
process.on("disconnect", () => {
  if (stop === undefined) process.exit(0);
  void stop();
});
// A Ctrl-C in the terminal reaches this process as well: the server tells it when to stop.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => void stop?.());

async function run({ urls, server, address }: WorkerStart): Promise<void> {
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
  stop = async () => {
    stop = async () => {};
    await api.stop();
    await stores.stop();
    process.exit(0);
  };
  endLean();
  const ready: FromWorker = { type: "ready" };
  process.send?.(ready);
}
