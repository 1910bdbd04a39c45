import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Service } from "../service.ts";
import { StartupError } from "../startup-error.ts";
import { type Account, chooseAccount } from "./embedded-account.ts";
import { type Binaries, findBinaries } from "./embedded-binaries.ts";

const role = "vconductor";
const database = "vconductor";
/** How long a start may take; after a crash PostgreSQL first goes through its log, which can be long. */
const startTimeoutMs = 300_000;

const settings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "128MB",
  wal_buffers: "16MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  autovacuum_naptime: "15s",
  jit: "off",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  log_min_messages: "warning",
};

/**
 * A PostgreSQL that the server brings along and runs by itself, with its data in a directory.
 *
 * It is in a session of its own, so that a Ctrl-C in the terminal does not end it before the server has finished.
 * If the server is killed it goes on, and the next server on the same directory adopts it. Several servers may
 * share it; the last one that stops ends it.
 */
export class EmbeddedPostgres implements Service {
  readonly #directory: string;
  readonly #data: string;
  readonly #log: (line: string) => void;
  #account: Account | undefined;
  #password = "";
  #port = 0;
  #running = false;
  #watch: Promise<void> = Promise.resolve();
  #stopWatch = new AbortController();

  constructor(options: { readonly directory: string; readonly log: (line: string) => void }) {
    this.#directory = resolve(options.directory);
    this.#data = join(this.#directory, "postgres");
    this.#log = options.log;
  }

  /** The database's address, once started. Its port stays the same from start to start while it is free. */
  url(): string {
    return this.#urlOf(database);
  }

  /** @throws StartupError when the directory or the programs cannot be used, or PostgreSQL does not start */
  async start(): Promise<void> {
    await this.#prepareDirectory();
    this.#account = await chooseAccount(this.#data);
    this.#password = await this.#readPassword();
    const binaries = await findBinaries(this.#account);
    await this.#initialise(binaries);
    const child = await this.#ensureRunning(binaries);
    await this.#createDatabase();
    this.#running = true;
    this.#stopWatch = new AbortController();
    this.#watch = this.#keepRunning(binaries, child);
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#stopWatch.abort();
    await this.#watch;
    if (await this.#othersConnected()) return;
    const pid = (await this.#readPidFile())?.pid;
    if (pid === undefined || !isAlive(pid)) return;
    process.kill(pid, "SIGINT");
    while (isAlive(pid)) await sleep(10);
  }

  async #prepareDirectory(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      // Fails for somebody else's directory, where PostgreSQL could not work either.
      const probe = join(this.#directory, `.probe-${randomBytes(9).toString("hex")}`);
      await writeFile(probe, "");
      await rm(probe);
    } catch (error) {
      await chooseAccount(this.#directory);
      throw new StartupError(
        `The data directory ${this.#directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        "Make it writable for the user that runs the server, or choose another directory: VCON_STORAGE_URL=embedded:DIRECTORY",
        { cause: error },
      );
    }
  }

  /** The password is made once and kept beside the data, for the owner's eyes only. */
  async #readPassword(): Promise<string> {
    const path = join(this.#directory, "password");
    try {
      await writeFile(path, `${randomBytes(24).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    for (let tries = 0; ; tries++) {
      const password = (await readFile(path, "utf8")).trim();
      // Another server may be writing it at this very moment.
      if (password !== "" || tries > 100) return password;
      await sleep(10);
    }
  }

  /** Makes the data directory under another name first, so that a start that was cut short leaves no half of one. */
  async #initialise(binaries: Binaries): Promise<void> {
    if (this.#isInitialised()) return await this.#removeHalves();
    const half = `${this.#data}.new-${randomBytes(9).toString("hex")}`;
    const halfData = join(half, "data");
    const passwordFile = join(half, "password");
    try {
      await mkdir(half, { mode: 0o700 });
      await mkdir(halfData, { mode: 0o700 });
      await writeFile(passwordFile, this.#password, { mode: 0o600 });
      if (this.#account !== undefined) {
        const { uid, gid } = this.#account;
        for (const path of [half, halfData, passwordFile]) await chown(path, uid, gid);
      }
      const { child, output } = this.#spawn(binaries.initdb, {
        directory: halfData,
        args: [
          `--username=${role}`,
          "--pwfile=../password",
          "--auth=scram-sha-256",
          "--encoding=UTF8",
          "--locale-provider=builtin",
          "--locale=C.UTF-8",
          "--lc-messages=C",
        ],
      });
      const code = await new Promise((done) => child.once("close", done));
      if (code !== 0) throw this.#failure(`could not make its data directory (exit code ${code})`, output());
      await rename(halfData, this.#data);
    } catch (error) {
      // Another server on this directory was faster, and may have removed our half already.
      if (!this.#isInitialised()) throw error;
    } finally {
      await rm(half, { recursive: true, force: true });
    }
    await this.#removeHalves();
  }

  #isInitialised(): boolean {
    return existsSync(join(this.#data, "PG_VERSION"));
  }

  /** What a start left behind that was killed while it made the data directory. Nobody needs it once there is one. */
  async #removeHalves(): Promise<void> {
    const prefix = `${basename(this.#data)}.new-`;
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(prefix)) {
        await rm(join(this.#directory, name), { recursive: true, force: true, maxRetries: 5 });
      }
    }
  }

  /** Adopts the PostgreSQL that runs on this data, or starts one. Answers with the child if it is ours. */
  async #ensureRunning(binaries: Binaries): Promise<ChildProcess | undefined> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline) {
      if (await this.#adopt()) return undefined;
      const wanted = await this.#choosePort();
      const log = await this.#openLog();
      const { child } = this.#spawn(binaries.postgres, {
        directory: this.#data,
        log: log.fd,
        args: [
          "-p",
          String(wanted),
          ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
        ],
      });
      await log.close();
      let exited = false;
      child.once("exit", () => {
        exited = true;
      });
      while (!exited && Date.now() < deadline) {
        if ((await this.#readPidFile())?.pid === child.pid && (await this.#adopt())) {
          child.unref();
          return child;
        }
        await sleep(20);
      }
      // Another server may have started it in between: adopt that one. Anything else is a failure.
      for (let tries = 0; tries < 500; tries++) {
        if (await this.#adopt()) return undefined;
        const other = (await this.#readPidFile())?.pid;
        if (other === undefined || !isAlive(other)) break;
        await sleep(20);
      }
      if (!(await this.#portTaken(wanted))) throw this.#failure("did not start", await this.#lastLog());
    }
    throw this.#failure("did not start in time", await this.#lastLog());
  }

  /** Whether a PostgreSQL with our password answers at the port in `postmaster.pid`. */
  async #adopt(): Promise<boolean> {
    const file = await this.#readPidFile();
    if (file?.port === undefined || !isAlive(file.pid)) return false;
    const before = this.#port;
    this.#port = file.port;
    try {
      await this.#ask("postgres", (client) => client.query("select 1"));
      return true;
    } catch {
      this.#port = before;
      return false;
    }
  }

  async #createDatabase(): Promise<void> {
    await this.#ask("postgres", async (client) => {
      const found = await client.query("select 1 from pg_database where datname = $1", [database]);
      if (found.rowCount !== 0) return;
      await client.query(`create database ${client.escapeIdentifier(database)}`).catch((error: unknown) => {
        // Another server made it in the same moment.
        if (!hasCode(error, "42P04") && !hasCode(error, "23505")) throw error;
      });
    });
  }

  /** Starts PostgreSQL again whenever it dies, on the same port. */
  async #keepRunning(binaries: Binaries, first: ChildProcess | undefined): Promise<void> {
    const { signal } = this.#stopWatch;
    let child = first;
    for (let pauseMs = 100; !signal.aborted; ) {
      await this.#untilGone(child, signal);
      if (signal.aborted) return;
      this.#log("the embedded PostgreSQL has ended unexpectedly; starting it again");
      try {
        child = await this.#ensureRunning(binaries);
        this.#log("the embedded PostgreSQL runs again");
        pauseMs = 100;
      } catch (error) {
        this.#log(error instanceof Error ? error.message : String(error));
        pauseMs = Math.min(pauseMs * 2, 10_000);
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  async #untilGone(child: ChildProcess | undefined, signal: AbortSignal): Promise<void> {
    if (child !== undefined) {
      await new Promise<void>((done) => {
        if (child.exitCode !== null || child.signalCode !== null) done();
        child.once("exit", () => done());
        signal.addEventListener("abort", () => done(), { once: true });
      });
      return;
    }
    const pid = (await this.#readPidFile())?.pid;
    while (pid !== undefined && isAlive(pid) && !signal.aborted) {
      await sleep(500, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #othersConnected(): Promise<boolean> {
    try {
      return await this.#ask("postgres", async (client) => {
        const { rows } = await client.query<{ others: boolean }>(
          "select count(*) > 0 as others from pg_stat_activity where application_name like 'vconductor%'",
        );
        return rows[0]?.others ?? false;
      });
    } catch {
      return false;
    }
  }

  #spawn(
    program: string,
    options: { readonly directory: string; readonly args: readonly string[]; readonly log?: number },
  ) {
    // The account may be barred from a directory above the data. So the process is put into the data directory
    // before it changes user, and told to find its data by way of this link, which walks no path.
    const here = "/proc/self/cwd";
    const data = existsSync(here) ? here : options.directory;
    const output: string[] = [];
    const child = spawn(program, ["-D", data, ...options.args], {
      cwd: options.directory,
      ...(this.#account === undefined ? {} : { uid: this.#account.uid, gid: this.#account.gid }),
      env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", ...(process.env.TZ ? { TZ: process.env.TZ } : {}) },
      detached: options.log !== undefined,
      stdio: ["ignore", options.log ?? "pipe", options.log ?? "pipe"],
    });
    child.once("error", (error) => output.push(error.message));
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    return { child, output: () => output.join("") };
  }

  async #openLog() {
    const path = join(this.#directory, "postgresql.log");
    const log = await open(path, "a", 0o600);
    await chmod(path, 0o600).catch(() => {});
    return log;
  }

  async #lastLog(): Promise<string> {
    const text = await readFile(join(this.#directory, "postgresql.log"), "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-5).join("\n");
  }

  #failure(what: string, output: string): StartupError {
    return new StartupError(
      `The embedded PostgreSQL in ${this.#directory} ${what}.${output === "" ? "" : ` It said:\n${output.trimEnd()}`}`,
      `See ${join(this.#directory, "postgresql.log")}, choose another directory (VCON_STORAGE_URL=embedded:DIRECTORY), or give a PostgreSQL of your own (VCON_STORAGE_URL=postgres://…).`,
    );
  }

  async #readPidFile(): Promise<{ readonly pid: number; readonly port: number | undefined } | undefined> {
    const text = await readFile(join(this.#data, "postmaster.pid"), "utf8").catch(() => "");
    const [pid, , , port] = text.split("\n");
    const number = Number(pid);
    if (!Number.isInteger(number) || number <= 0) return undefined;
    return { pid: number, port: port ? Number(port) : undefined };
  }

  /** The port of last time, if it is free: whoever holds the address need not learn a new one. */
  async #choosePort(): Promise<number> {
    const path = join(this.#directory, "port");
    const last = this.#port || Number((await readFile(path, "utf8").catch(() => "")).trim());
    if (Number.isInteger(last) && last > 0 && !(await this.#portTaken(last))) return last;
    const port = await freePort(0);
    if (port === undefined) throw new Error("no free port on 127.0.0.1");
    await writeFile(path, `${port}\n`);
    return port;
  }

  async #portTaken(port: number): Promise<boolean> {
    return (await freePort(port)) === undefined;
  }

  #urlOf(name: string): string {
    return `postgres://${role}:${encodeURIComponent(this.#password)}@127.0.0.1:${this.#port}/${name}`;
  }

  async #ask<Result>(name: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({
      connectionString: this.#urlOf(name),
      application_name: "embedded probe",
      connectionTimeoutMillis: 5000,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** The given port on the loopback address, or any for 0; undefined when it is taken. */
function freePort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const free = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => done(free));
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
