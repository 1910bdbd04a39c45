import pg from "pg";
import type { Service } from "../service.ts";

/**
 * LISTEN on a connection of its own, which is made again whenever it breaks. Notifications are hints: some are
 * lost while the connection is away, so every user polls as well. `onConnect` tells when to look anew.
 */
export class Listener implements Service {
  readonly #url: string;
  readonly #channels: readonly string[];
  readonly #onNotify: (channel: string, payload: string) => void;
  readonly #onConnect: () => void;
  #client: pg.Client | undefined;
  #stopped = true;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly url: string;
    readonly channels: readonly string[];
    readonly onNotify: (channel: string, payload: string) => void;
    readonly onConnect?: () => void;
  }) {
    this.#url = options.url;
    this.#channels = options.channels;
    this.#onNotify = options.onNotify;
    this.#onConnect = options.onConnect ?? (() => {});
  }

  async start(): Promise<void> {
    this.#stopped = false;
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: "vconductor listener",
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    const lost = () => {
      if (this.#client === client) this.#client = undefined;
      client.removeAllListeners("notification");
      this.#again();
    };
    client.once("end", lost);
    client.on("error", () => {});
    client.on("notification", (message) => this.#onNotify(message.channel, message.payload ?? ""));
    try {
      await client.connect();
      for (const channel of this.#channels) await client.query(`listen ${client.escapeIdentifier(channel)}`);
    } catch {
      await client.end().catch(() => {});
      this.#again();
      return;
    }
    if (this.#stopped) {
      await client.end().catch(() => {});
      return;
    }
    this.#client = client;
    this.#onConnect();
  }

  #again(): void {
    if (this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), 250);
    this.#retry.unref();
  }
}
