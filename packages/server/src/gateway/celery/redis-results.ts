import { createClient } from "@redis/client";
import type { Logger } from "pino";
import { Outage } from "./outage.ts";

/** Results that Celery's workers keep in Redis. */
export class RedisResults {
  readonly #client: ReturnType<typeof createClient>;

  constructor({ url, log }: { readonly url: string; readonly log: Pick<Logger, "info" | "warn"> }) {
    this.#client = createClient({ url, socket: { reconnectStrategy: 2000, connectTimeout: 5000 } });
    const outage = new Outage({
      during: "the Redis with Celery's results cannot be reached; it is tried again",
      over: "the Redis with Celery's results is there again",
      log,
    });
    this.#client.on("error", (error: unknown) => outage.goesOn(error));
    this.#client.on("ready", () => outage.isOver());
  }

  /** Does not wait for a connection: it is made as soon as it can be. */
  start(): void {
    void this.#client.connect().catch(() => {});
  }

  async stop(): Promise<void> {
    this.#client.destroy();
  }

  /** What was said last of each of these tasks; of those that no worker has said anything of, nothing. */
  async read(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0 || !this.#client.isReady) return new Map();
    const texts = await this.#client.mGet(ids.map((id) => `celery-task-meta-${id}`));
    return new Map(
      ids.flatMap((id, index) => {
        const text = texts[index] ?? null;
        return text === null ? [] : [[id, String(text)] as const];
      }),
    );
  }
}
