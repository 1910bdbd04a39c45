import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, onTestFailed } from "vitest";
import { createDatabase } from "../setup/database.ts";
import { eventually } from "../setup/eventually.ts";
import { processors } from "./processors.ts";

const program = new URL("../../src/main.ts", import.meta.url).pathname;

export type Env = Readonly<Record<string, string>>;

/** A vConductor as a user starts it: a process with workers below it, all in one process group. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What all its processes have printed. */
  output(): string;
  /** The process ids of its pipeline workers. */
  workers(): readonly number[];
  /** `kill -9` of the server's main process; its workers are left to themselves. */
  killMain(): Promise<void>;
  /** `kill -9` of the server and all its workers in the same moment, as a power cut would. */
  killAll(): Promise<void>;
  /** SIGTERM to the main process. Answers with the exit code; null when it was ended by a signal. */
  stop(): Promise<number | null>;
}

/** What one test has: a directory, databases and servers of its own, all of which go when it ends. */
export interface Site {
  readonly directory: string;
  /** Starts a server with these settings over those of the site. Resolves once it is ready. */
  start(env?: Env): Promise<ServerProcess>;
  /** Runs the `vconductor` command to its end. */
  command(args: readonly string[], env?: Env): Promise<CommandResult>;
  /** The address of another empty database. */
  database(): Promise<string>;
  /** Has `work` done when the test ends, before what was there earlier goes. */
  atEnd(work: () => Promise<unknown>): void;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const endings: (() => Promise<unknown>)[] = [];
const groups = new Set<number>();

// When the test run itself is ended, its servers must not stay.
process.once("exit", () => {
  for (const group of groups) kill(-group);
});

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/**
 * A site on an empty database, or (`embedded`) with a PostgreSQL of its own in `directory`/data.
 * @param options.env settings of all its servers
 */
export async function openSite(
  options: { readonly embedded?: boolean; readonly env?: Env } = {},
): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-crash-"));
  endings.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const plugins = join(directory, "plugins");
  await mkdir(plugins);
  await writeFile(join(plugins, "processors.mjs"), processors);
  const database = async () => {
    const created = await createDatabase();
    endings.push(() => created.drop());
    return created.url;
  };
  const data = join(directory, "data");
  if (options.embedded) endings.push(() => endPostgres(data));
  const base: Env = {
    VCON_STORAGE_URL: options.embedded ? `embedded:${data}` : await database(),
    PLUGIN_PATHS: plugins,
    LOG_LEVEL: "warn",
    LEASE_SECONDS: "5",
    NUM_WORKERS: "1",
    WORKER_CONCURRENCY: "4",
    ...options.env,
  };
  return {
    directory,
    database,
    start: (env = {}) => startServer({ ...base, ...env }),
    command: (args, env = {}) => runCommand(args, { ...base, ...env }),
    atEnd: (work) => void endings.push(work),
  };
}

async function startServer(env: Env): Promise<ServerProcess> {
  const url = env.REST_URL ?? (await freeUrl());
  const child = launch(["serve"], { ...env, REST_URL: url });
  const group = child.pid ?? 0;
  let text = "";
  const gather = (chunk: Buffer) => {
    text += chunk.toString();
  };
  child.stdout?.on("data", gather);
  child.stderr?.on("data", gather);
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  endings.push(async () => {
    kill(-group);
    await gone;
    await eventually(() => !isAlive(-group));
    groups.delete(group);
  });
  onTestFailed(() => console.error(`--- server ${group} printed:\n${text}`));
  const server: ServerProcess = {
    url,
    child,
    output: () => text,
    workers: () => workersOf(group),
    async killMain() {
      kill(group);
      await gone;
    },
    async killAll() {
      kill(-group);
      await gone;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await gone;
      return child.exitCode;
    },
  };
  await eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return true;
    return (await fetch(`${url}/health/ready`)).ok;
  });
  if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${text}`);
  return server;
}

async function runCommand(args: readonly string[], env: Env): Promise<CommandResult> {
  const child = launch(args, env);
  const group = child.pid ?? 0;
  endings.push(async () => {
    kill(-group);
    groups.delete(group);
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}

/** In a process group of its own, so that none of its processes can be missed at the end. */
function launch(args: readonly string[], env: Env): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  if (child.pid !== undefined) groups.add(child.pid);
  return child;
}

/** The children of a process that run the worker's program, by what /proc tells. */
function workersOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .filter((pid) => {
      try {
        // "pid (name) state ppid …": the name may hold anything, so count from its end.
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const [state, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (Number(ppid) !== parent || state === "Z") return false;
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("pipeline-worker");
      } catch {
        return false;
      }
    });
}

/** The process id of the embedded PostgreSQL on a data directory, while it runs. */
export function postmasterOf(data: string): number | undefined {
  const path = join(data, "postgres", "postmaster.pid");
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, "utf8").split("\n")[0]);
  return pid > 0 && isAlive(pid) ? pid : undefined;
}

/** Its servers are dead, so nobody else ends it: in SIGQUIT's way, which waits for nobody. */
async function endPostgres(data: string): Promise<void> {
  const pid = postmasterOf(data);
  if (pid === undefined) return;
  process.kill(pid, "SIGQUIT");
  await eventually(() => !isAlive(pid));
}

/**
 * The processes that have told a file of the processors `gate` and `stuck` that they are inside. Whole lines only:
 * the file is there a moment before what is in it.
 */
export function processesInside(file: string): readonly number[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").slice(0, -1).map(Number);
}

/** SIGKILL to a process, or to a group (negative). One that has ended already is no mistake. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** An address of this machine that nothing listens on. */
async function freeUrl(): Promise<string> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  probe.close();
  await once(probe, "close");
  return `http://127.0.0.1:${address.port}`;
}
