import { isAudited } from "../access/audit/is-audited.ts";
import { readConfig } from "../config.ts";
import { Listener } from "../database/listener.ts";
import { channels } from "../database/notifier.ts";
import type { ClaimedJob } from "../jobs/job-queue.ts";
import { endLean } from "../lean-start.ts";
import { openBackend, openMedia } from "../media/open-media.ts";
import { TenantMedia } from "../media/tenant-media.ts";
import { createLog } from "../observe/log.ts";
import { JobRunner, type StopReason, settles } from "../pipelines/job-runner.ts";
import { PipelineCache } from "../pipelines/pipeline-cache.ts";
import { loadProcessors } from "../processors/load.ts";
import { stepServices } from "../processors/services.ts";
import { openStores } from "../stores.ts";
import { JobValues } from "../work/job-values.ts";
import { obeySupervisor, type Stop } from "./child.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Slots } from "./slots.ts";
import { Turnstile } from "./turnstile.ts";
import { WorkerLoop } from "./worker-loop.ts";
import type { FromWorker, WorkerStart } from "./worker-messages.ts";

// The main module of a pipeline worker: an operating system process of its own, so that a processor that blocks,
// leaks or crashes takes down only this. The supervisor in the server starts it and watches over it.

/** How long a run that was told to stop may take before the process is ended. */
const graceMs = 5000;

const config = readConfig(process.env);
const log = createLog(config);

obeySupervisor({ log, title: "pipeline worker", run });

async function run(
  { urls, worker, server, address }: WorkerStart,
  onStop: (stop: Stop) => void,
): Promise<void> {
  const leaseMs = config.leaseSeconds * 1000;
  const stores = openStores({
    urls,
    poolSize: config.databasePoolSize,
    leaseMs,
    application: "vconductor worker",
  });
  const registry = await loadProcessors({
    pluginPaths: config.pluginPaths,
    packages: config.pluginPackages,
    log,
  });
  const content = openMedia(config, log);
  const services = stepServices({ config, log, media: content });
  const slots = new Slots(config.workerConcurrency);
  const active = new Map<number, AbortController>();
  const turnstile = new Turnstile();
  const runner = new JobRunner({
    jobs: stores.jobs,
    vcons: stores.vcons,
    pipelines: new PipelineCache(stores.pipelines),
    committer: stores.committer,
    registry,
    services,
    media: new TenantMedia({ content, database: stores.storeDatabase }),
    values: new JobValues({ database: stores.queueDatabase, backend: openBackend(config, log) }),
    usage: stores.usage,
    prices: config.modelPrices,
    audit: isAudited(config) ? stores.audit : undefined,
    log,
  });
  const heartbeat = new Heartbeat({
    url: urls.queues,
    slots,
    leaseMs,
    graceMs,
    orphanMs: config.stopGraceSeconds * 1000 + 2 * graceMs,
    onStop: ({ runId, type }) => active.get(runId)?.abort(type satisfies StopReason),
  });

  const runJob = async (job: ClaimedJob) => {
    await heartbeat.start();
    const slot = slots.take(job.runId);
    const controller = new AbortController();
    active.set(job.runId, controller);
    try {
      await turnstile.pass({ alone: job.crashes > 0 }, () => {
        slots.setDeadline(slot, 0);
        return runner.run(job, {
          signal: controller.signal,
          onDeadline: (deadline) => slots.setDeadline(slot, deadline),
          onLeftBehind: (work) => void retireUnlessSettled(work),
        });
      });
    } finally {
      active.delete(job.runId);
      slots.free(slot);
    }
  };

  const loop = new WorkerLoop({
    jobs: stores.jobs,
    servers: stores.servers,
    pipelines: stores.pipelinesHere ? undefined : stores.pipelines,
    worker,
    server,
    address,
    concurrency: config.workerConcurrency,
    leaseMs,
    pollMs: config.pollSeconds * 1000,
    run: runJob,
    onError: (error) => log.warn({ err: error }, "looking for jobs failed; trying again"),
  });
  const listener = new Listener({
    url: urls.queues,
    channels: [channels.jobs],
    onNotify: (_, payload) => loop.wake(JSON.parse(payload)),
    onConnect: () => loop.wake(),
  });

  /** A processor that goes on after its time is up, and whatever it still holds, ends with the process. */
  const retireUnlessSettled = async (work: Promise<unknown>) => {
    if (await settles(work, graceMs)) return;
    tell({ type: "retiring", reason: "a processor did not stop when its time was up" });
    await stop();
  };

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      const drained = loop.stop();
      const inTime = await settles(drained, config.stopGraceSeconds * 1000);
      if (!inTime) {
        for (const controller of active.values()) controller.abort("released" satisfies StopReason);
        await settles(drained, graceMs);
      }
      await heartbeat.stop();
      await listener.stop();
      await services.stop();
      await stores.stop();
      process.exit(0);
    })();
    return stopping;
  };
  onStop(stop);

  await stores.start();
  await listener.start();
  await loop.start();
  endLean();
  tell({ type: "ready" });
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
