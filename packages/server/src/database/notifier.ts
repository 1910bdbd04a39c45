import { sql } from "kysely";
import type { Service } from "../service.ts";
import { Database } from "./database.ts";

/** The NOTIFY channels. */
export const channels = {
  /** New work: the payload is a JSON list of queue names. */
  jobs: "vconductor_jobs",
  /** Runs to stop: the payload is a JSON list of run ids. */
  cancel: "vconductor_cancel",
  /** What happened: the payload is a JSON list of events. */
  events: "vconductor_events",
  /** Somebody is watching events: publish them for the next while. */
  watch: "vconductor_watch",
} as const;

export type Channel = (typeof channels)[keyof typeof channels];

// PostgreSQL refuses payloads of 8,000 bytes and more.
const mostBytes = 7500;

/**
 * Sends notifications after the commit they tell of, many in one statement. It takes no part in any
 * transaction, because NOTIFY makes the commits of all transactions that contain one wait for each other; and it
 * has a connection of its own, on which a commit does not wait for the disk.
 */
export class Notifier implements Service {
  readonly #database: Database;
  readonly #pending = new Map<Channel, Set<string>>();
  #sending = false;

  constructor(options: { readonly url: string }) {
    this.#database = new Database({
      url: options.url,
      poolSize: 1,
      application: "vconductor notifier",
      durable: false,
    });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#database.stop();
  }

  /** @param item one JSON value; items of a channel that arrive together are sent as one JSON list */
  send(channel: Channel, item: unknown): void {
    const items = this.#pending.get(channel) ?? new Set();
    items.add(JSON.stringify(item));
    this.#pending.set(channel, items);
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (this.#pending.size > 0) {
        const messages: { channel: string; payload: string }[] = [];
        for (const [channel, items] of this.#pending) {
          for (const payload of pack(items)) messages.push({ channel, payload });
        }
        this.#pending.clear();
        await sql`select pg_notify(c, p) from unnest(
          ${messages.map((message) => message.channel)}::text[],
          ${messages.map((message) => message.payload)}::text[]) as t (c, p)`.execute(this.#database.db);
      }
    } catch {
      // A hint that could not be sent is no loss: whoever waits for it polls.
      this.#pending.clear();
    } finally {
      this.#sending = false;
    }
  }
}

function pack(items: Iterable<string>): string[] {
  const payloads: string[] = [];
  let current: string[] = [];
  let size = 2;
  for (const item of items) {
    const bytes = Buffer.byteLength(item) + 1;
    if (bytes + 2 > mostBytes) continue;
    if (size + bytes > mostBytes) {
      payloads.push(`[${current.join(",")}]`);
      current = [];
      size = 2;
    }
    current.push(item);
    size += bytes;
  }
  if (current.length > 0) payloads.push(`[${current.join(",")}]`);
  return payloads;
}
