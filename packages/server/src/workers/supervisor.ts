import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Logger } from "pino";
import { leanChild } from "../lean-start.ts";
import { settles } from "../pipelines/job-runner.ts";
import type { Service } from "../service.ts";
import type { StoreUrls } from "../stores.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

const firstPauseMs = 100;
const longestPauseMs = 10_000;
// A worker that lived this long had no trouble starting: the next one is started at once.
const healthyAfterMs = 10_000;
/** How long a stop waits for what dead workers had in hand to be given back. */
const aftermathMs = 5000;

export interface SupervisorOptions {
  /** The module that the processes run. */
  readonly program: URL;
  /** What they are called in the log. */
  readonly title: string;
  /** How many of them. */
  readonly count: number;
  readonly urls: StoreUrls;
  readonly server: string;
  readonly address: string;
  /** How long a worker that was told to stop may take, in milliseconds. */
  readonly stopMs: number;
  readonly log: Logger;
  /** Called when a worker has ended unexpectedly: gives its jobs back. */
  readonly onDeath: (worker: string, how: string) => Promise<void>;
}

interface Seat {
  readonly number: number;
  child: ChildProcess | undefined;
  pauseMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** Starts processes of one kind and keeps their number: one that dies is replaced, and what it had in hand seen to. */
export class Supervisor implements Service {
  readonly #options: SupervisorOptions;
  readonly #seats: Seat[];
  readonly #aftermath = new Set<Promise<void>>();
  #starts = 0;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#seats = Array.from({ length: options.count }, (_, number) => ({
      number,
      child: undefined,
      pauseMs: firstPauseMs,
      timer: undefined,
    }));
  }

  /** Resolves once every worker claims jobs. */
  async start(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#fill(seat)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      this.#seats.map(async ({ child, timer }) => {
        clearTimeout(timer);
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        send(child, { type: "stop" });
        const late = setTimeout(() => child.kill("SIGKILL"), this.#options.stopMs);
        await gone;
        clearTimeout(late);
      }),
    );
    // With the database away this would wait for it for ever: the leases bring those jobs back, too.
    await settles(Promise.all(this.#aftermath), aftermathMs);
  }

  #fill(seat: Seat): Promise<void> {
    const { program, title, urls, server, address, log } = this.#options;
    const worker = `${server}#${seat.number}.${++this.#starts}`;
    const begun = performance.now();
    const child = fork(program, { serialization: "json", ...leanChild() });
    seat.child = child;
    let expected = false;
    const ready = new Promise<void>((resolve) => {
      child.on("message", (message: FromWorker) => {
        if (message.type === "ready") resolve();
        else {
          expected = true;
          log.warn({ worker, reason: message.reason }, `a ${title} is being replaced`);
        }
      });
      child.once("exit", () => resolve());
    });
    child.once("error", (error) => log.error({ err: error, worker }, `a ${title} failed`));
    child.once("exit", (code, signal) => {
      seat.child = undefined;
      if (this.#stopping && code === 0) return;
      if (!expected) this.#died(worker, signal ?? `exit code ${code}`);
      if (this.#stopping) return;
      seat.pauseMs =
        expected || performance.now() - begun > healthyAfterMs
          ? firstPauseMs
          : Math.min(seat.pauseMs * 2, longestPauseMs);
      seat.timer = setTimeout(() => void this.#fill(seat), seat.pauseMs);
    });
    send(child, { type: "start", urls, worker, server, address });
    return ready;
  }

  #died(worker: string, how: string): void {
    const { title, log, onDeath } = this.#options;
    log.error({ worker, how }, `a ${title} died; what it had in hand is given back`);
    const work = onDeath(worker, how)
      .catch((error: unknown) => {
        log.error({ err: error, worker }, "its jobs come back when their leases run out");
      })
      .finally(() => this.#aftermath.delete(work));
    this.#aftermath.add(work);
  }
}

function send(child: ChildProcess, message: ToWorker): void {
  // A child that has just died cannot be told; its exit is seen to elsewhere.
  if (child.connected) child.send(message, () => {});
}
