import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { StartupError } from "../startup-error.ts";
import type { Account } from "./embedded-account.ts";

/** One of PostgreSQL's programs at work. */
export interface Program {
  readonly child: ChildProcess;
  /** Resolves with the exit code once it has ended; -2 or so when it could not be run at all. */
  readonly ended: Promise<number | null>;
  /** What it has said so far, unless it writes to a log. */
  output(): string;
}

/**
 * Runs one of PostgreSQL's programs in its data directory.
 * @param options.log the descriptor of a file to write to; with one it gets a session of its own, out of Ctrl-C's reach
 */
export function run(
  program: string,
  options: {
    readonly data: string;
    readonly account: Account | undefined;
    readonly args: readonly string[];
    readonly log?: number;
    readonly env?: Readonly<Record<string, string>>;
  },
): Program {
  const { account, log } = options;
  // The account may be barred from a directory above the data. So the process is put into the data directory
  // before it changes user, and told to find its data by way of this link, which walks no path.
  const data = existsSync("/proc/self") ? "/proc/self/cwd" : options.data;
  const output: string[] = [];
  const child = spawn(program, ["-D", data, ...options.args], {
    cwd: options.data,
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    env: {
      PATH: process.env.PATH,
      LC_ALL: "C.UTF-8",
      ...(process.env.TZ ? { TZ: process.env.TZ } : {}),
      ...options.env,
    },
    detached: log !== undefined,
    stdio: ["ignore", log ?? "pipe", log ?? "pipe"],
  });
  child.once("error", (error) => output.push(error.message));
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  return {
    child,
    // A program that cannot be run has no exit, only a close.
    ended: new Promise((done) => child.once("close", done)),
    output: () => output.join(""),
  };
}

/** @param what what PostgreSQL failed to do. @param said its own words, if any */
export function failure(directory: string, what: string, said: string): StartupError {
  return new StartupError(
    `The embedded PostgreSQL in ${directory} ${what}.${said === "" ? "" : ` It said:\n${said.trimEnd()}`}`,
    `See ${join(directory, "postgresql.log")}, choose another directory (VCON_STORAGE_URL=embedded:DIRECTORY), or give a PostgreSQL of your own (VCON_STORAGE_URL=postgres://…).`,
  );
}
