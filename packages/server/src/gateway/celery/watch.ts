import type { GatewayService } from "../../config/gateway-config.ts";
import type { QueueLoad } from "./broker.ts";
import type { CeleryTasks, HeldTask } from "./tasks.ts";

/** Seconds without a word of it after which a task is given up, unless its service says otherwise. */
const defaultSeconds = 86_400;

export interface WatchOptions {
  readonly tasks: CeleryTasks;
  /** By queue: the services that share it. */
  readonly queues: ReadonlyMap<string, readonly (readonly [string, GatewayService])[]>;
  /** By run. */
  readonly held: ReadonlyMap<number, HeldTask>;
  readonly load: (queue: string) => Promise<QueueLoad | undefined>;
  readonly giveUp: (
    runId: number,
    failure: { readonly code: number; readonly message: string },
  ) => Promise<unknown>;
}

interface Seen {
  /** Workers, when the queue was looked at last. */
  readonly consumers: number;
  /** Since when there have been some at every look, by `performance.now()`. */
  readonly since: number;
  readonly lookedAt: number;
}

/** Sees workers of queues come and go, and tasks that nothing is heard of any more. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #seen = new Map<string, Seen>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    for (const queue of this.#options.queues.keys()) await this.#lookAt(queue);
  }

  async #lookAt(queue: string): Promise<void> {
    const { load, tasks, queues } = this.#options;
    const { consumers } = (await load(queue)) ?? { consumers: 0 };
    const services = queues.get(queue) ?? [];
    const names = services.map(([name]) => name);
    const before = this.#seen.get(queue);
    // A worker that has just come has not heard yet what nobody waits for.
    if (consumers > (before?.consumers ?? 0)) await tasks.hastenRevokes(names);
    const now = performance.now();
    const since = consumers > 0 ? (before?.since ?? now) : undefined;
    if (since === undefined) {
      this.#seen.delete(queue);
      return;
    }
    const seconds = Math.min(...services.map(([, { time_limit: limit = defaultSeconds }]) => limit));
    // While there were no workers, or nobody read what they say, silence says nothing.
    const isTime =
      now - since >= seconds * 1000 && now - (before?.lookedAt ?? 0) >= Math.min(60_000, seconds * 100);
    this.#seen.set(queue, { consumers, since, lookedAt: isTime ? now : (before?.lookedAt ?? 0) });
    if (isTime) await this.#giveUpSilent(queue, { names, seconds });
  }

  async #giveUpSilent(
    queue: string,
    { names: services, seconds }: { readonly names: readonly string[]; readonly seconds: number },
  ): Promise<void> {
    const { tasks, held, giveUp } = this.#options;
    const runIds = [...held].filter(([, task]) => task.queue === queue).map(([runId]) => runId);
    if (runIds.length === 0) return;
    for (const runId of await tasks.silent({ runIds, services, seconds })) {
      const id = held.get(runId)?.id;
      if (id === undefined) continue;
      await tasks.revoke(id);
      await giveUp(runId, { code: 101, message: `no worker has said anything of it for ${seconds} seconds` });
    }
  }
}
