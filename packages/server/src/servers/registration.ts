import type { Logger } from "pino";
import { isUnavailable } from "../database/database.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";
import type { ServerRegistry, ServerState } from "./server-registry.ts";

/** Keeps this server's record in the registry: there while it runs, fresh while it lives, gone when it has stopped. */
export class Registration implements Service {
  readonly key: string;
  readonly address: string;
  readonly #registry: ServerRegistry;
  readonly #about: Omit<ServerState, "last_heartbeat" | "state">;
  #state: ServerState["state"] = "starting_up";
  readonly #beats: Repetition;
  #registered = false;

  constructor(options: {
    readonly registry: ServerRegistry;
    readonly log: Logger;
    /** How old the heartbeat may become before the server counts as dead. */
    readonly deadAfterMs: number;
    readonly about: Omit<ServerState, "last_heartbeat" | "state">;
  }) {
    const { host, port, pid, start_time } = options.about;
    this.address = `${host}:${port}`;
    this.key = `${this.address}:${pid}:${start_time}`;
    this.#registry = options.registry;
    this.#about = options.about;
    this.#beats = new Repetition({
      work: () => this.#beat(),
      failed: (error) => {
        if (!isUnavailable(error))
          options.log.error({ err: error }, "the server's heartbeat failed; trying again");
      },
      everyMs: options.deadAfterMs / 3,
    });
  }

  async start(): Promise<void> {
    await this.#report();
    this.#registered = true;
    await this.#registry.purge();
    await this.#beats.start();
  }

  async enter(state: ServerState["state"]): Promise<void> {
    this.#state = state;
    if (this.#registered) await this.#report();
  }

  async stop(): Promise<void> {
    await this.#beats.stop();
    if (!this.#registered) return;
    this.#registered = false;
    // Somebody may have deleted the record, or the database is away: it then shows as dead, and goes by itself.
    await this.#registry.remove(this.key).catch(() => {});
  }

  #report(): Promise<void> {
    return this.#registry.report({
      key: this.key,
      address: this.address,
      state: { ...this.#about, state: this.#state },
    });
  }

  async #beat(): Promise<void> {
    // A record that was deleted comes back while the server lives.
    if (!(await this.#registry.heartbeat(this.key))) await this.#report();
    await this.#registry.purge();
  }
}
