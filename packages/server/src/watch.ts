import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { StartupError } from "./startup-error.ts";

/** Several files that are saved together restart the server once. */
const debounceMs = 100;

export interface WatchOptions {
  /** Watched with all that is in them. */
  readonly directories: readonly string[];
  /** The module of the server's command line, to be run with `serve`. */
  readonly program: string;
  /** For what happens, a line each time. */
  readonly say: (line: string) => void;
}

/**
 * Runs the server as a child process and starts it anew whenever a plugin file changes: modules that are loaded
 * cannot be unloaded. A server that ends by itself is started again at the next change, and not before.
 *
 * @returns the exit status of the last server, once a signal has ended the watching
 * @throws StartupError there is nothing to watch
 */
export async function serveAndWatch(options: WatchOptions): Promise<number> {
  if (options.directories.length === 0) {
    throw new StartupError(
      "serve --watch has nothing to watch: PLUGIN_PATHS names no directory.",
      "Name the directory of your plugins: PLUGIN_PATHS=./plugins vconductor serve --watch",
    );
  }
  const watching = new Watching(options);
  const watchers = options.directories.map((directory) =>
    watchDirectory(directory, {
      onChange: (path) => watching.changed(path),
      onError: (error) => options.say(`${directory} is no longer watched: ${error.message}`),
    }),
  );
  try {
    return await watching.run();
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/** Whether a change of this path, relative to the directory of plugins, counts. */
export function isWatched(path: string): boolean {
  return !path
    .split(/[\\/]/)
    .some((part) => part.startsWith(".") || part.endsWith("~") || part === "node_modules");
}

interface Watched {
  readonly onChange: (path: string) => void;
  readonly onError: (error: Error) => void;
}

function watchDirectory(directory: string, { onChange, onError }: Watched): FSWatcher {
  const ignore = (path: string) => !isWatched(path);
  const watcher = watch(directory, { recursive: true, ignore }, (_event, path) => {
    // Releases of Node.js before 24.14 do not know `ignore`.
    if (path !== null && isWatched(path)) onChange(join(directory, path));
  });
  return watcher.on("error", onError);
}

class Watching {
  readonly #options: WatchOptions;
  readonly #ended = Promise.withResolvers<number>();
  #child: ChildProcess | undefined;
  #status = 0;
  #timer: NodeJS.Timeout | undefined;
  #restarting = false;
  #stopping = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async run(): Promise<number> {
    const stop = (signal: NodeJS.Signals) => void this.#stop(signal);
    for (const signal of signals) process.on(signal, stop);
    this.#options.say(`watching ${this.#options.directories.join(", ")}`);
    this.#start();
    try {
      return await this.#ended.promise;
    } finally {
      clearTimeout(this.#timer);
      for (const signal of signals) process.off(signal, stop);
    }
  }

  changed(path: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#restart(path), debounceMs);
  }

  #start(): void {
    const { program, say } = this.#options;
    const args = [...process.execArgv, program, "serve"];
    // The channel tells the server when this process is gone, however it went.
    const child = spawn(process.execPath, args, { stdio: ["inherit", "inherit", "inherit", "ipc"] });
    this.#child = child;
    child.once("error", (error) => {
      say(`the server cannot be run: ${error.message}`);
      child.emit("close", 1, null);
    });
    child.once("close", (code, signal) => {
      this.#child = undefined;
      this.#status = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      if (this.#stopping || this.#restarting) return;
      say(`the server ended with status ${this.#status}; it starts again when a plugin file changes`);
    });
  }

  async #restart(path: string): Promise<void> {
    // A restart that is under way reads the newest files anyway, unless it has got beyond stopping.
    if (this.#stopping || this.#restarting) return;
    this.#restarting = true;
    this.#options.say(`${path} changed; ${this.#child ? "restarting" : "starting"} the server`);
    await this.#end("SIGTERM");
    this.#restarting = false;
    if (!this.#stopping) this.#start();
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    this.#stopping = true;
    await this.#end(signal);
    this.#ended.resolve(this.#status);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
