import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Trouble } from "./trouble.ts";

const program = fileURLToPath(new URL("../../packages/server/src/main.ts", import.meta.url));
/** A first start makes the database; after a crash it first goes through its log. */
const readyWithinMs = 300_000;

/** A vConductor server as a process of its own, with this process's environment for settings. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #url = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "exit").catch(() => {});
    // A server must not outlive its demo, however that ends.
    process.once("exit", () => child.kill("SIGTERM"));
  }

  /**
   * Starts the server; what it has to say goes to standard error.
   * @param options.env settings beside this process's own
   * @param options.signal gives up waiting; the server is then stopped
   * @throws Trouble when the server cannot start: it has then said why itself
   */
  static async start(options: {
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  }): Promise<ServerProcess> {
    const child = spawn(process.execPath, [program, "serve"], {
      // Its log is for operators: here only what needs attention, unless somebody asks for more.
      env: { ...process.env, ...options.env, LOG_LEVEL: process.env.LOG_LEVEL || "warn" },
      stdio: ["ignore", "pipe", "inherit"],
      // Out of the terminal's process group: Ctrl-C reaches the demo alone, which then stops the server.
      detached: true,
    });
    const server = new ServerProcess(child);
    try {
      await server.#untilReady(AbortSignal.any([options.signal, AbortSignal.timeout(readyWithinMs)]));
      return server;
    } catch (error) {
      await server.stop();
      options.signal.throwIfAborted();
      throw error;
    }
  }

  /** Where its API is. */
  get url(): string {
    return this.#url;
  }

  /** Resolves when it has ended, by itself or not. */
  get exited(): Promise<unknown> {
    return this.#exited;
  }

  /** Has it stop cleanly, and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    // Its own word for where it is: another server may be answering at the address it was meant to have.
    this.#url = await this.#announced(signal);
    while (!(await answersOk(`${this.#url}/health/ready`, signal))) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw gone();
      if (signal.aborted) throw new Trouble(`The server is up at ${this.#url} but does not get ready.`);
      await sleep(50);
    }
  }

  #announced(signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Trouble("The server did not start in time.")));
      this.#child.once("error", (error) => reject(new Trouble(`The server cannot be run: ${error.message}`)));
      this.#child.once("exit", () => reject(gone()));
      const { stdout } = this.#child;
      if (stdout === null) return;
      createInterface({ input: stdout }).on("line", (line) => {
        const url = /^\s*API\s+(http\S+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
  }
}

function gone(): Trouble {
  return new Trouble("The server did not start; its reason is above.");
}

async function answersOk(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await fetch(url, { signal })).ok;
  } catch {
    return false;
  }
}
