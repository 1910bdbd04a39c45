import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { everything } from "../../access/principal.ts";
import type { CelerySettings, GatewayConfig, GatewayService } from "../../config/gateway-config.ts";
import { VconductorError } from "../../errors.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import type { RemoteJob, RemoteJobs } from "../../jobs/remote-jobs.ts";
import type { Service } from "../../service.ts";
import type { JobValues } from "../../work/job-values.ts";
import type { JobWaiters } from "../../work/job-waiters.ts";
import { readPayload } from "../../work/payloads.ts";
import type { GatewayRequests } from "../requests.ts";
import { Broker, type QueueLoad } from "./broker.ts";
import { failureIn, progressIn, readReport, type TaskReport, taskMessage } from "./messages.ts";
import { Outage } from "./outage.ts";
import { RedisResults } from "./redis-results.ts";

const worker = "celery";
const batch = 50;
const waitMs = 20_000;
const lookMs = 500;
const by = { kind: "celery", viewer: everything } as const;

export interface CeleryBridgeOptions {
  readonly settings: CelerySettings;
  readonly config: GatewayConfig;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly requests: GatewayRequests;
  readonly waiters: JobWaiters;
  readonly values: JobValues;
  /** The queue at the broker that results come to: the same for all servers of a database, and for no others. */
  readonly replies: string;
  readonly serverKey: string;
  readonly leaseMs: number;
  readonly log: Pick<Logger, "info" | "warn">;
}

/**
 * A remote worker that has Celery's workers do its jobs: it takes them out of the queues of services, sends each to the
 * broker once, and keeps it by heartbeats until a result is there. Results come to a queue that outlives the server, or lie
 * in Redis; whichever server reads one ends the run, whoever sent the task.
 */
export class CeleryBridge implements Service {
  readonly #options: CeleryBridgeOptions;
  readonly #broker: Broker;
  readonly #redis: RedisResults | undefined;
  readonly #stop = new AbortController();
  /** Runs in hand, with the id of their task. */
  readonly #held = new Map<number, string>();
  readonly #revoking = new Set<number>();
  /** By task: the report that is being kept. The next one waits for it, so that old news does not replace newer. */
  readonly #applying = new Map<string, Promise<void>>();
  /** The AMQP backend of Celery 3 does not answer to where the task says, but by the task's id. */
  readonly #byId: boolean;
  #loops: readonly Promise<void>[] = [];

  constructor(options: CeleryBridgeOptions) {
    this.#options = options;
    const { settings, replies, log } = options;
    const backend = settings.CELERY_RESULT_BACKEND ?? "rpc://";
    this.#redis = /^rediss?:/.test(backend) ? new RedisResults({ url: backend, log }) : undefined;
    this.#byId = /^amqp/.test(backend);
    this.#broker = new Broker({
      url: settings.BROKER_URL,
      replies,
      log,
      onResult: (content) => this.#received(content),
    });
  }

  async start(): Promise<void> {
    this.#broker.start();
    this.#redis?.start();
    const services = Object.values(this.#options.config.WORKER_SERVICES).filter(
      ({ transport }) => transport === "celery",
    );
    this.#loops = [...services.map((service) => this.#serve(service)), this.#tend(), this.#lookInRedis()];
  }

  /** How a service's queue stands at the broker; undefined: that cannot be asked now. */
  async load(queue: string): Promise<QueueLoad | undefined> {
    return this.#broker.isConnected ? await this.#broker.load(queue).catch(() => undefined) : undefined;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#options.waiters.stop();
    await Promise.all([this.#broker.stop(), ...this.#loops]);
    await this.#redis?.stop();
    // They are with Celery's workers: whichever server takes them up next waits for their results.
    const runIds = [...this.#held.keys()];
    if (runIds.length > 0) {
      await this.#options.jobs.release({ runIds, reason: "the server that waits for Celery's answer stops" });
    }
  }

  async #serve(service: GatewayService): Promise<void> {
    const { remoteJobs, requests, waiters, serverKey: server, leaseMs } = this.#options;
    const { celery_queue_name: queue } = service;
    const look = () => remoteJobs.claim({ ...by, queue, limit: batch, worker, server, leaseMs });
    await this.#again(async () => {
      await requests.requireQueue(service);
      // What waits here can be cancelled, and is not in the way of anything.
      if (!this.#broker.isConnected) return await this.#pause(lookMs);
      const jobs = await look();
      const claimed =
        jobs.length > 0 ? jobs : await waiters.until({ queue, waitMs, signal: this.#stop.signal, look });
      await Promise.all(claimed.map((job) => this.#take(job, service)));
    });
  }

  async #take(job: RemoteJob, service: GatewayService): Promise<void> {
    const { remoteJobs, requests, config, settings, replies, values } = this.#options;
    const { runId, jobId } = job;
    try {
      const { id, isSent } = await requests.ofJob(jobId);
      this.#held.set(runId, id);
      if (isSent) return;
      if (this.#byId) await this.#broker.follow(id);
      const name = `${config.CELERY_PROJ_NAME ?? "worker"}.${service.celery_task_name}`;
      const args = [await readPayload(job, { values, remoteJobs, by })];
      const message = taskMessage({ id, name, args, replyTo: replies }, settings.CELERY_TASK_PROTOCOL ?? 1);
      await this.#broker.publish(service.celery_queue_name, message);
      await requests.noteSent(id);
    } catch (error) {
      this.#held.delete(runId);
      // It is taken up again later; while the server stops, by another one.
      this.#warn(error, "a task was not sent to Celery");
      const reason = "it could not be sent to Celery";
      await remoteJobs.release({ runId, by, reason }).catch(() => {});
    }
  }

  /** Keeps what is in hand, and revokes what was cancelled. */
  async #tend(): Promise<void> {
    const { jobs, leaseMs } = this.#options;
    await this.#again(async () => {
      await this.#pause(Math.min(1000, leaseMs / 3));
      const runIds = [...this.#held.keys()];
      const kept = await jobs.heartbeat({ runIds, leaseMs });
      const cancelled = kept.filter(({ cancelRequested }) => cancelRequested).map(({ runId }) => runId);
      const ours = new Set(kept.map(({ runId }) => runId));
      for (const runId of runIds) if (!ours.has(runId)) this.#held.delete(runId);
      for (const runId of cancelled) void this.#revoke(runId);
    });
  }

  /** Nothing waits for it; what cannot be told to the workers now is tried again. */
  async #revoke(runId: number): Promise<void> {
    const id = this.#held.get(runId);
    if (id === undefined || this.#revoking.has(runId)) return;
    this.#revoking.add(runId);
    try {
      await this.#broker.revoke(id);
      await this.#options.jobs.cancelled({ runId, message: "cancelled on request" });
      await this.#forget(runId, id);
    } catch (error) {
      this.#warn(error, "a task of Celery was not revoked yet");
    } finally {
      this.#revoking.delete(runId);
    }
  }

  async #lookInRedis(): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    await this.#again(async () => {
      await this.#pause(lookMs);
      for (const report of await redis.read([...this.#held.values()])) await this.#apply(report);
    });
  }

  /** @throws Error it is not kept, and is to come again */
  async #received(content: string): Promise<void> {
    const report = readReport(content);
    // What nobody understands is not kept for ever.
    if (report === undefined) return;
    const before = this.#applying.get(report.id) ?? Promise.resolve();
    const applied = before.catch(() => {}).then(() => this.#apply(report));
    this.#applying.set(report.id, applied);
    try {
      await applied;
    } catch (error) {
      await this.#pause(1000);
      throw error;
    } finally {
      if (this.#applying.get(report.id) === applied) this.#applying.delete(report.id);
    }
  }

  /** @throws Error nobody holds its run at the moment: it is to be said again */
  async #apply({ id, status, result }: TaskReport): Promise<void> {
    const { remoteJobs, jobs, requests, values, leaseMs } = this.#options;
    const found = await requests.runOf(id);
    if (found === undefined) return;
    const { runId } = found;
    if (runId === undefined) throw new Error(`the task ${id} is in nobody's hands yet`);
    const end = () => this.#forget(runId, id);
    try {
      if (status === "SUCCESS") {
        await remoteJobs.complete({ runId, by, result: await values.keep(result), followUps: [] });
        await end();
      } else if (status === "FAILURE") {
        const { code, message } = failureIn(result);
        await requests.forgetSent(id);
        await remoteJobs.fail({ runId, by, error: { code: `celery_${code}`, message }, retry: false });
        await end();
      } else if (status === "REVOKED") {
        await jobs.cancelled({ runId, message: "revoked" });
        await end();
      } else {
        await requests.noteReport(id, { status, result: status === "RETRY" ? failureIn(result) : result });
        await remoteJobs.heartbeat({ runId, by, leaseMs, progress: progressIn(result) });
      }
    } catch (error) {
      if (error instanceof VconductorError && error.code === "run_not_active") return await end();
      throw error;
    }
  }

  async #forget(runId: number, id: string): Promise<void> {
    this.#held.delete(runId);
    if (!this.#byId) return;
    await this.#broker
      .unfollow(id)
      .catch((error: unknown) =>
        this.#warn(error, "the results of a task that has ended are still followed"),
      );
  }

  /** Does it again and again until the bridge is stopped; what goes wrong is said, and tried again a little later. */
  async #again(work: () => Promise<void>): Promise<void> {
    const outage = new Outage({
      during: "the bridge to Celery is held up; it tries again",
      over: "the bridge to Celery goes on",
      log: this.#options.log,
    });
    while (!this.#stop.signal.aborted) {
      try {
        await work();
        outage.isOver();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        outage.goesOn(error);
        await this.#pause(2000);
      }
    }
  }

  #warn(error: unknown, what: string): void {
    if (!this.#stop.signal.aborted) this.#options.log.warn({ err: error }, what);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
