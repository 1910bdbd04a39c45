import { Worker } from "node:worker_threads";
import type { Service } from "../service.ts";
import type { Slots } from "./slots.ts";

export interface HeartbeatData {
  readonly url: string;
  readonly slots: SharedArrayBuffer;
  readonly leaseMs: number;
  /** How long a run that was told to stop, or whose deadline has passed, may take before its process is ended. */
  readonly graceMs: number;
  /** The server's process id. */
  readonly parent: number;
  /** How long the process may take to wind up once its server is gone. */
  readonly orphanMs: number;
}

/** `lost`: the lease has passed on. `cancelled`: somebody asked for it. */
export interface HeartbeatMessage {
  readonly type: "lost" | "cancelled";
  readonly runId: number;
}

/** Keeps the leases of a worker's runs, in a thread of its own. */
export class Heartbeat implements Service {
  readonly #data: HeartbeatData;
  readonly #onStop: (message: HeartbeatMessage) => void;
  #thread: Worker | undefined;

  constructor(options: {
    readonly url: string;
    readonly slots: Slots;
    readonly leaseMs: number;
    readonly graceMs: number;
    readonly orphanMs: number;
    /** Called when a run should stop. */
    readonly onStop: (message: HeartbeatMessage) => void;
  }) {
    this.#data = {
      url: options.url,
      slots: options.slots.buffer,
      leaseMs: options.leaseMs,
      graceMs: options.graceMs,
      parent: process.ppid,
      orphanMs: options.orphanMs,
    };
    this.#onStop = options.onStop;
  }

  /** Starts the thread; once it runs this does nothing. A worker that has had no run yet needs none. */
  async start(): Promise<void> {
    if (this.#thread !== undefined) return;
    const thread = new Worker(new URL("./heartbeat-thread.ts", import.meta.url), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
    });
    thread.on("message", (message: HeartbeatMessage) => this.#onStop(message));
    // Without its heartbeat a worker would lose its leases one by one: better that the supervisor starts another.
    thread.on("error", (error) => {
      throw error;
    });
    thread.unref();
    this.#thread = thread;
  }

  async stop(): Promise<void> {
    await this.#thread?.terminate();
    this.#thread = undefined;
  }
}
