import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { Connection, type Consumer, type Publisher } from "rabbitmq-client";
import { revokeMessage, type TaskMessage } from "./messages.ts";
import { Outage } from "./outage.ts";

/** Milliseconds that something to be sent waits for a connection. */
const patienceMs = 10_000;
/** Celery 3's AMQP backend sends the results of a task here, with the task's id as the key. */
const resultsExchange = "celeryresults";

/** How a queue stands: messages that no worker has taken, and those who take them. */
export interface QueueLoad {
  readonly ready: number;
  readonly consumers: number;
}

/** What Celery's workers are sent over RabbitMQ, and what they answer; a connection that breaks is made anew. */
export class Broker {
  readonly #url: string;
  readonly #log: Pick<Logger, "info" | "warn">;
  readonly #onResult: (content: string) => Promise<void>;
  readonly #replies: string;
  readonly #publishers = new Map<string, Publisher>();
  #connection: Connection | undefined;
  #consumer: Consumer | undefined;
  #isStopping = false;

  /**
   * @param options.replies the queue that all results come to. It outlives the server; of several servers one reads it, so
   *   that the order is kept
   * @param options.onResult what it rejects stays with the broker, and comes again
   */
  constructor(options: {
    readonly url: string;
    readonly replies: string;
    readonly log: Pick<Logger, "info" | "warn">;
    readonly onResult: (content: string) => Promise<void>;
  }) {
    this.#url = options.url;
    this.#replies = options.replies;
    this.#log = options.log;
    this.#onResult = options.onResult;
  }

  get #repliesQueue() {
    return { queue: this.#replies, durable: true, arguments: { "x-single-active-consumer": true } };
  }

  get isConnected(): boolean {
    return this.#connection?.ready ?? false;
  }

  /** Does not wait for a connection. */
  start(): void {
    const connection = new Connection({
      url: this.#url,
      connectionName: "vConductor",
      acquireTimeout: patienceMs,
      retryHigh: 5000,
    });
    const outage = new Outage({
      during: "the broker of Celery cannot be reached; it is tried again",
      over: "the broker of Celery is there again",
      log: this.#log,
    });
    connection.on("error", (error: unknown) => outage.goesOn(error));
    connection.on("connection", () => outage.isOver());
    this.#connection = connection;
    this.#consumer = connection.createConsumer(
      { queue: this.#replies, queueOptions: this.#repliesQueue, qos: { prefetchCount: 100 } },
      async ({ body }) => this.#onResult(textOf(body)),
    );
    // Without a connection that is said already; otherwise it is a result that is not kept yet, or the queue is not ours.
    this.#consumer.on("error", (error: unknown) => {
      if (this.isConnected && !this.#isStopping)
        this.#log.warn({ err: error }, "a result of Celery was not kept yet");
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const close = async () => {
      await this.#consumer?.close();
      for (const publisher of this.#publishers.values()) await publisher.close();
      await this.#connection?.close();
    };
    // Without a connection there is nothing to finish.
    if (this.isConnected) await Promise.race([close().catch(() => {}), sleep(5000)]);
    this.#connection?.unsafeDestroy();
  }

  /** Sends a task to a queue; the broker has it when this resolves. @throws Error there is no connection */
  async publish(queue: string, { content, properties }: TaskMessage): Promise<void> {
    const publisher = this.#publisher(queue, {
      exchanges: [{ exchange: queue, type: "direct", durable: true }],
      queues: [{ queue, durable: true }],
      queueBindings: [{ queue, exchange: queue, routingKey: queue }],
    });
    await publisher.send({ exchange: queue, routingKey: queue, ...properties }, content);
  }

  /** Tells all workers to stop a task. @throws Error there is no connection */
  async revoke(id: string): Promise<void> {
    const exchange = "celery.pidbox";
    const publisher = this.#publisher(exchange, {
      exchanges: [{ exchange, type: "fanout", durable: false }],
    });
    const properties = { contentType: "application/json", contentEncoding: "utf-8" };
    await publisher.send({ exchange, ...properties }, revokeMessage(id));
  }

  /** Has the results of a task come in that a worker with the AMQP backend of Celery 3 sends. */
  async follow(id: string): Promise<void> {
    const connection = this.#open();
    await connection.exchangeDeclare({ exchange: resultsExchange, type: "direct", durable: true });
    await connection.queueDeclare(this.#repliesQueue);
    await connection.queueBind({ queue: this.#replies, exchange: resultsExchange, routingKey: keyOf(id) });
  }

  /** The task has ended. */
  async unfollow(id: string): Promise<void> {
    await this.#open().queueUnbind({
      queue: this.#replies,
      exchange: resultsExchange,
      routingKey: keyOf(id),
    });
  }

  async load(queue: string): Promise<QueueLoad> {
    const { messageCount, consumerCount } = await this.#open().queueDeclare({ queue, durable: true });
    return { ready: messageCount, consumers: consumerCount };
  }

  /** Each has a channel of its own: a queue that somebody made in another way stops no others. */
  #publisher(name: string, setUp: Parameters<Connection["createPublisher"]>[0]): Publisher {
    const publisher =
      this.#publishers.get(name) ?? this.#open().createPublisher({ ...setUp, confirm: true, maxAttempts: 2 });
    this.#publishers.set(name, publisher);
    return publisher;
  }

  #open(): Connection {
    if (this.#connection === undefined) throw new Error("the broker was not started");
    return this.#connection;
  }
}

function keyOf(id: string): string {
  return id.replaceAll("-", "");
}

/** JSON of which the encoding is not said comes parsed. */
function textOf(body: unknown): string {
  if (Buffer.isBuffer(body)) return body.toString();
  return typeof body === "string" ? body : JSON.stringify(body);
}
