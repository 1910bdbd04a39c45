import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { AMQPChannelError, type Channel, Connection, type Consumer, type Publisher } from "rabbitmq-client";
import { revokeMessage, type TaskMessage } from "./messages.ts";
import { Outage } from "./outage.ts";

/** Milliseconds that something to be sent waits for a connection. */
const patienceMs = 10_000;
/** Celery 3's AMQP backend sends the results of a task here, with the task's id as the key. */
const resultsExchange = "celeryresults";
/** What all workers listen to. */
const controlExchange = "celery.pidbox";

/** How a queue stands: messages that no worker has taken, and those who take them. */
export interface QueueLoad {
  readonly ready: number;
  readonly consumers: number;
  /** Workers make their queues themselves, in the way that they want. */
  readonly exists: boolean;
}

/** A message that came to the queue of results. */
export interface ResultMessage {
  readonly content: string;
  /** Of which task it is, as the envelope says. */
  readonly taskId: string | undefined;
}

/** What Celery's workers are sent over RabbitMQ, and what they answer; a connection that breaks is made anew. */
export class Broker {
  readonly #url: string;
  readonly #log: Pick<Logger, "info" | "warn">;
  readonly #onResult: (message: ResultMessage) => Promise<void>;
  readonly #replies: string;
  /** Tasks that the broker gave back: their queue is gone. */
  readonly #returned = new Set<string>();
  /** Those that were there. */
  readonly #exchanges = new Set<string>();
  #connection: Connection | undefined;
  #publisher: Publisher | undefined;
  #consumer: Consumer | undefined;
  #isStopping = false;

  /**
   * @param options.replies the queue that all results come to. It outlives the server; of several servers one reads it, so
   *   that the order is kept
   * @param options.onResult the broker has the message until this resolves, and gives it to another server if this one is
   *   gone by then
   */
  constructor(options: {
    readonly url: string;
    readonly replies: string;
    readonly log: Pick<Logger, "info" | "warn">;
    readonly onResult: (message: ResultMessage) => Promise<void>;
  }) {
    // Celery has several names for the same.
    this.#url = options.url.replace(/^pyamqp/, "amqp");
    this.#replies = options.replies;
    this.#log = options.log;
    this.#onResult = options.onResult;
  }

  /**
   * Workers send results that a classic queue loses when the broker restarts. A quorum queue keeps them; of RabbitMQ 4 it
   * would drop what has come back 20 times, for example from servers that were killed.
   */
  get #repliesQueue() {
    return {
      queue: this.#replies,
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        "x-single-active-consumer": true,
        "x-delivery-limit": 1_000_000,
      },
    } as const;
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
    connection.on("connection", () => {
      this.#exchanges.clear();
      outage.isOver();
    });
    this.#connection = connection;
    this.#publisher = connection.createPublisher({ confirm: true, maxAttempts: 2 });
    this.#publisher.on("basic.return", ({ correlationId = "" }) => this.#returned.add(correlationId));
    this.#consumer = connection.createConsumer(
      { queue: this.#replies, queueOptions: this.#repliesQueue, qos: { prefetchCount: 100 } },
      async ({ body, correlationId: taskId }) => this.#onResult({ content: textOf(body), taskId }),
    );
    // Without a connection that is said already.
    this.#consumer.on("error", (error: unknown) => {
      if (this.isConnected && !this.#isStopping)
        this.#log.warn({ err: error }, "results of Celery cannot be read; it is tried again");
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const close = async () => {
      await this.#consumer?.close();
      await this.#publisher?.close();
      await this.#connection?.close();
    };
    // Without a connection there is nothing to finish.
    if (this.isConnected) await Promise.race([close().catch(() => {}), sleep(5000)]);
    this.#connection?.unsafeDestroy();
  }

  /**
   * Sends a task to a queue; the broker has it when this resolves. Celery's workers bind a queue to an exchange of the same
   * name, and send a task that is to be tried again by the way that it came: those of Celery 3 find no other. A queue that was
   * made otherwise is reached by the exchange that leads to all.
   *
   * @throws Error there is no connection, or no such queue
   */
  async publish(queue: string, message: TaskMessage): Promise<void> {
    const isBound = await this.#hasExchange(queue);
    for (const exchange of isBound ? [queue, ""] : [""]) {
      if (await this.#arrives({ exchange, routingKey: queue }, message)) return;
    }
    throw new Error(`the broker has no queue ${queue}`);
  }

  async #arrives(
    { exchange, routingKey }: { readonly exchange: string; readonly routingKey: string },
    { content, properties }: TaskMessage,
  ): Promise<boolean> {
    try {
      await this.#publisher?.send({ exchange, routingKey, mandatory: true, ...properties }, content);
    } catch (error) {
      this.#exchanges.delete(exchange);
      throw error;
    }
    // The broker gives it back before it confirms it, but the client tells of that a turn later.
    await immediate();
    return !this.#returned.delete(properties.correlationId);
  }

  async #hasExchange(exchange: string): Promise<boolean> {
    if (this.#exchanges.has(exchange)) return true;
    const found = await this.#look(async (channel) => {
      await channel.exchangeDeclare({ exchange, passive: true });
      return true;
    });
    if (found) this.#exchanges.add(exchange);
    return found ?? false;
  }

  /** Tells all workers to stop these tasks. @throws Error there is no connection */
  async revoke(ids: readonly string[]): Promise<void> {
    const exchange = controlExchange;
    // The first worker makes it.
    if (!(await this.#hasExchange(exchange))) return;
    const properties = { contentType: "application/json", contentEncoding: "utf-8" };
    await this.#publisher?.send({ exchange, ...properties }, revokeMessage(ids));
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
    const found = await this.#look((channel) => channel.queueDeclare({ queue, passive: true }));
    return found === undefined
      ? { ready: 0, consumers: 0, exists: false }
      : { ready: found.messageCount, consumers: found.consumerCount, exists: true };
  }

  /** On a channel of its own: what is not there closes it. @returns undefined: it is not there */
  async #look<Found>(look: (channel: Channel) => Promise<Found>): Promise<Found | undefined> {
    const channel = await this.#open().acquire();
    try {
      return await look(channel);
    } catch (error) {
      if (error instanceof AMQPChannelError && error.code === "NOT_FOUND") return undefined;
      throw error;
    } finally {
      await channel.close().catch(() => {});
    }
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
