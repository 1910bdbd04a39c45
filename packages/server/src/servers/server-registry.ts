/** What one server tells of itself; the names are those of the reference server. */
export interface ServerState {
  readonly py_vcon_server: string;
  readonly vcon: string;
  readonly vconductor: string;
  readonly host: string | null;
  readonly port: number | null;
  readonly pid: number;
  /** Seconds since 1970 */
  readonly start_time: number;
  readonly num_workers: number;
  readonly state: "unknown" | "starting_up" | "running" | "shutting_down" | "dead";
  /** Seconds since 1970, by the database's clock */
  readonly last_heartbeat: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A queue that a server tends, and how often in a cycle. */
export interface TendedQueue {
  readonly queue: string;
  readonly weight: number;
}

/**
 * Which servers there are, and which queues each tends. A server is known by its key (host:port:pid:start_time);
 * its tended queues belong to its address (host:port), so that they are still there after a restart.
 */
export interface ServerRegistry {
  /** Registers the server, or refreshes what it tells of itself and its heartbeat. */
  report(options: {
    readonly key: string;
    readonly address: string;
    readonly state: Omit<ServerState, "last_heartbeat">;
  }): Promise<void>;
  /** Refreshes the heartbeat alone. Answers false when the record has been deleted. */
  heartbeat(key: string): Promise<boolean>;
  /** All servers by key; one whose heartbeat is older than the limit is shown as `dead`. */
  list(): Promise<Readonly<Record<string, ServerState>>>;
  get(key: string): Promise<ServerState | undefined>;
  /** @throws server_not_found */
  remove(key: string): Promise<void>;
  /** Forgets servers that have been dead for a day, and dead ones at an address that a live one has taken over. */
  purge(): Promise<void>;

  /** The queues that the server at this address tends, in the order in which they were added. */
  tended(address: string): Promise<readonly TendedQueue[]>;
  /** Adds a queue or changes its weight. */
  tend(options: { readonly address: string; readonly queue: string; readonly weight: number }): Promise<void>;
  /** @throws queue_not_found when the server does not tend it */
  untend(options: { readonly address: string; readonly queue: string }): Promise<void>;
  /**
   * Applies `WORK_QUEUES`. What was set through the API since stays, unless the setting itself has changed for
   * that queue.
   */
  configure(options: { readonly address: string; readonly queues: readonly TendedQueue[] }): Promise<void>;
}
