import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { CelerySettings, GatewayConfig, GatewayService } from "../../config/gateway-config.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import type { RemoteJob, RemoteJobs } from "../../jobs/remote-jobs.ts";
import type { Service } from "../../service.ts";
import type { JobValues } from "../../work/job-values.ts";
import type { JobWaiters } from "../../work/job-waiters.ts";
import { readPayload } from "../../work/payloads.ts";
import type { GatewayRequests } from "../requests.ts";
import { Broker, type QueueLoad } from "./broker.ts";
import { taskMessage } from "./messages.ts";
import { Outage } from "./outage.ts";
import { RedisResults } from "./redis-results.ts";
import { by, TaskResults } from "./results.ts";
import type { CeleryTasks, HeldTask } from "./tasks.ts";
import { Watch } from "./watch.ts";

const worker = "celery";
const batch = 50;
const waitMs = 20_000;
const lookMs = 500;
/** Tasks that wait at the broker for each worker, so that it always finds one: Celery's workers take four at a time. */
const fewPerWorker = 8;
/** Runs that are released at the same time. */
const lanes = 8;

export interface CeleryBridgeOptions {
  readonly settings: CelerySettings;
  readonly config: GatewayConfig;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly requests: GatewayRequests;
  readonly tasks: CeleryTasks;
  readonly waiters: JobWaiters;
  readonly values: JobValues;
  /** The queue at the broker that results come to: the same for all servers of a database, and for no others. */
  readonly replies: string;
  readonly serverKey: string;
  readonly leaseMs: number;
  readonly log: Pick<Logger, "info" | "warn">;
}

/**
 * A remote worker that has Celery's workers do its jobs: it takes them out of the queues of services, a few more than they
 * have in hand, sends each to the broker once, and keeps it by heartbeats until a result is there. Results come to a queue
 * that outlives the server, or lie in Redis; whichever server reads one ends the run, whoever sent the task.
 */
export class CeleryBridge implements Service {
  readonly #options: CeleryBridgeOptions;
  readonly #broker: Broker;
  readonly #redis: RedisResults | undefined;
  readonly #results: TaskResults;
  readonly #watch: Watch;
  readonly #stop = new AbortController();
  /** By run. */
  readonly #held = new Map<number, HeldTask>();
  /** By queue: services that share it. */
  readonly #queues: ReadonlyMap<string, readonly (readonly [string, GatewayService])[]>;
  /** The AMQP backend of Celery 3 does not answer to where the task says, but by the task's id. */
  readonly #byId: boolean;
  /** Resolved when a task has ended: there may be room for another one. */
  #room = Promise.withResolvers<void>();
  #loops: readonly Promise<void>[] = [];

  constructor(options: CeleryBridgeOptions) {
    this.#options = options;
    const { settings, config, replies, log, tasks } = options;
    const backend = settings.CELERY_RESULT_BACKEND ?? "rpc://";
    this.#redis = /^rediss?:/.test(backend) ? new RedisResults({ url: backend, log }) : undefined;
    this.#byId = /^(?:py)?amqp/.test(backend);
    this.#results = new TaskResults({ ...options, ended: (id) => this.#ended(id) });
    this.#broker = new Broker({
      url: settings.BROKER_URL,
      replies,
      log,
      onResult: ({ content, taskId: id }) => this.#results.take(content, { id, signal: this.#stop.signal }),
    });
    this.#queues = Map.groupBy(
      Object.entries(config.WORKER_SERVICES).filter(([, { transport }]) => transport === "celery"),
      ([, { celery_queue_name: queue }]) => queue,
    );
    this.#watch = new Watch({
      tasks,
      queues: this.#queues,
      held: this.#held,
      load: (queue) => this.load(queue),
      giveUp: (runId, result) => this.#results.end(runId, { status: "FAILURE", result }),
    });
  }

  async start(): Promise<void> {
    this.#broker.start();
    this.#redis?.start();
    this.#loops = [
      ...[...this.#queues.keys()].map((queue) => this.#serve(queue)),
      this.#again(() => this.#keepLeases()),
      this.#again(() => this.#lookAfter()),
      ...(this.#redis === undefined ? [] : [this.#again(() => this.#lookInRedis())]),
    ];
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
    this.#held.clear();
    const reason = "the server that waits for Celery's answer stops";
    await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        this.#options.jobs.release({ runIds: runIds.filter((_, n) => n % lanes === lane), reason }),
      ),
    );
  }

  async #serve(queue: string): Promise<void> {
    const { remoteJobs, requests, waiters, serverKey: server, leaseMs } = this.#options;
    const services = this.#queues.get(queue) ?? [];
    await this.#again(async () => {
      for (const [, service] of services) await requests.requireQueue(service);
      // Before the look at the queue, so that a task that ends meanwhile counts.
      const room = this.#room.promise;
      const limit = await this.#roomIn(queue);
      // What waits here can be cancelled, is taken by priority, and is not in the way of anything.
      if (limit <= 0) return await Promise.race([room, this.#pause(lookMs)]);
      const look = () => remoteJobs.claim({ ...by, queue, limit, worker, server, leaseMs });
      const jobs = await look();
      const claimed =
        jobs.length > 0 ? jobs : await waiters.until({ queue, waitMs, signal: this.#stop.signal, look });
      const taken = await Promise.allSettled(claimed.map((job) => this.#take(job)));
      const failed = taken.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    });
  }

  /** How many tasks more the broker is to have of a queue. */
  async #roomIn(queue: string): Promise<number> {
    if (!this.#broker.isConnected) return 0;
    const { ready, consumers, exists } = await this.#broker.load(queue);
    if (!exists) return 0;
    const held = [...this.#held.values()].filter((task) => task.queue === queue).length;
    // What others send to the queue does not keep ours out of it.
    return Math.min(batch, Math.max(fewPerWorker * (consumers + 1) - ready, fewPerWorker - held));
  }

  /** @throws Error it was not sent; its job waits again */
  async #take(job: RemoteJob): Promise<void> {
    const { remoteJobs, tasks, config, settings, replies, values } = this.#options;
    const { runId, jobId, queue, jobType } = job;
    try {
      const { id, isSent, answer } = await tasks.takeUp(jobId);
      this.#held.set(runId, { id, queue });
      if (answer !== null) {
        await this.#results.end(runId, answer);
        return this.#ended(id);
      }
      if (isSent) return;
      if (this.#byId) await this.#broker.follow(id);
      const name = `${config.CELERY_PROJ_NAME ?? "worker"}.${jobType}`;
      const args = [await readPayload(job, { values, remoteJobs, by })];
      const message = taskMessage({ id, name, args, replyTo: replies }, settings.CELERY_TASK_PROTOCOL ?? 1);
      await this.#broker.publish(queue, message);
      await tasks.noteSent(id);
    } catch (error) {
      this.#held.delete(runId);
      // While the server stops another one takes it up.
      const reason = "it could not be sent to Celery";
      await remoteJobs.release({ runId, by, reason }).catch(() => {});
      throw error;
    }
  }

  async #keepLeases(): Promise<void> {
    const { jobs, leaseMs } = this.#options;
    await this.#pause(leaseMs / 3);
    await jobs.heartbeat({ runIds: [...this.#held.keys()], leaseMs });
  }

  /** Lets go of what is not to go on, and has workers told of what nobody waits for. */
  async #lookAfter(): Promise<void> {
    const { jobs, tasks } = this.#options;
    await this.#pause(Math.min(1000, this.#options.leaseMs / 3));
    for (const { runId, isActive, isCancelled } of await tasks.stopped([...this.#held.keys()])) {
      const id = this.#held.get(runId)?.id;
      if (id !== undefined && isCancelled) await tasks.revoke(id);
      if (isActive) await jobs.cancelled({ runId, message: "cancelled on request" });
      this.#held.delete(runId);
    }
    await this.#watch.look();
    if (this.#broker.isConnected) await this.#revokeDue();
  }

  async #revokeDue(): Promise<void> {
    const due = await this.#options.tasks.dueRevokes();
    if (due.length === 0) return;
    const ids = due.map(({ id }) => id);
    await this.#readRedis(ids);
    await this.#broker.revoke(ids);
    for (const { id, isLast } of due) if (isLast) this.#unfollow(id);
  }

  async #lookInRedis(): Promise<void> {
    await this.#pause(lookMs);
    const tasks = [...this.#held.values()];
    await this.#readRedis(tasks.map(({ id }) => id));
  }

  async #readRedis(ids: readonly string[]): Promise<void> {
    const texts = await this.#redis?.read(ids);
    for (const [id, text] of texts ?? []) {
      const task = [...this.#held.values()].find((one) => one.id === id);
      if (task?.seen === text) continue;
      await this.#results.take(text, { id, signal: this.#stop.signal });
      if (task !== undefined) task.seen = text;
    }
  }

  #ended(id: string): void {
    for (const [runId, task] of this.#held) if (task.id === id) this.#held.delete(runId);
    this.#room.resolve();
    this.#room = Promise.withResolvers();
    this.#unfollow(id);
  }

  #unfollow(id: string): void {
    if (!this.#byId || this.#stop.signal.aborted) return;
    void this.#broker.unfollow(id).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, "the results of a task that has ended are still followed");
    });
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

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
