import type { Logger } from "pino";
import type { ToWorker, WorkerStart } from "./worker-messages.ts";

/** Stops what the process does, and ends it. */
export type Stop = () => Promise<void>;

/**
 * The life of a process that the supervisor starts: it runs when told to start, and stops when told to, when it gets
 * SIGTERM, or when the server is gone.
 * @param run starts the work; answers with how to stop it, through `onStop`, as soon as that is possible
 */
export function obeySupervisor(options: {
  readonly log: Logger;
  readonly title: string;
  readonly run: (start: WorkerStart, onStop: (stop: Stop) => void) => Promise<void>;
}): void {
  const { log, title, run } = options;
  let stop: Stop | undefined;
  process.on("message", (message: ToWorker) => {
    if (message.type === "stop") return void stop?.();
    run(message, (how) => {
      stop = how;
    }).catch((error: unknown) => {
      log.fatal({ err: error }, `the ${title} could not start`);
      process.exit(1);
    });
  });
  // The server is gone (killed, perhaps): finish what is in hand, then go too.
  process.on("disconnect", () => {
    if (stop === undefined) process.exit(0);
    void stop();
  });
  // A Ctrl-C in the terminal reaches this process as well: the server tells it when to stop.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => void stop?.());
}
