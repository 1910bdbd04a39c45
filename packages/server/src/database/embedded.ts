import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Service } from "../service.ts";
import { StartupError } from "../startup-error.ts";
import { isUnavailable } from "./database.ts";
import { type Account, chooseAccount } from "./embedded-account.ts";
import { type Binaries, findBinaries } from "./embedded-binaries.ts";
import { initialise, isInitialised } from "./embedded-initdb.ts";
import { passwordLost, readPassword } from "./embedded-password.ts";
import { type PidFile, readPidFile, removeEmptyPidFile, runsOn } from "./embedded-pid-file.ts";
import { failure, run } from "./embedded-process.ts";

const role = "vconductor";
const database = "vconductor";
/** How long a start may take; after a crash PostgreSQL first goes through its log, which can be long. */
const startTimeoutMs = 300_000;
/** How long a stop looks again at connections: those of a process that has just died take a moment to end. */
const lingerMs = 1_500;
/** What PostgreSQL says when another server has started it in the same moment. */
const lostRace = /lock file "postmaster\.pid" already exists/;
/** What it says when it cannot start yet: processes of a killed one have not quite gone, the port is taken, or another server has made the lock file and not written it yet. */
const passing =
  /pre-existing shared memory block .*is still in use|address already in use|lock file "postmaster\.pid" is empty/i;

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
  // A backend whose client was killed ends soon, also in the middle of a query. Windows cannot do it.
  ...(process.platform === "win32" ? {} : { client_connection_check_interval: "500ms" }),
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
  #stopping = new AbortController();
  #watch: Promise<void> | undefined;
  #end: Promise<void> | undefined;

  constructor(options: { readonly directory: string; readonly log: (line: string) => void }) {
    this.#directory = resolve(options.directory);
    this.#data = join(this.#directory, "postgres");
    this.#log = options.log;
  }

  /** The database's address, once started. Its port stays the same from start to start while it is free. */
  url(): string {
    return this.#urlOf(this.#port, database);
  }

  /** @throws StartupError when the directory or the programs cannot be used, or PostgreSQL does not start */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#end = undefined;
    await this.#prepareDirectory();
    this.#account = await chooseAccount(this.#data);
    this.#password = await readPassword(this.#directory, { create: !isInitialised(this.#data) });
    const binaries = await findBinaries(this.#account);
    await initialise({
      data: this.#data,
      initdb: binaries.initdb,
      account: this.#account,
      password: this.#password,
      role,
    });
    const child = await this.#ensureRunning(binaries);
    this.#watch = this.#keepRunning(binaries, child);
  }

  stop(): Promise<void> {
    this.#end ??= this.#stop();
    return this.#end;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#watch === undefined) return;
    await this.#watch;
    this.#watch = undefined;
    if (await this.#othersStayConnected()) return;
    const running = await this.#findRunning();
    if (running === undefined) return;
    try {
      process.kill(running.pid, "SIGINT");
    } catch (error) {
      // Another server that stops at the same time was faster.
      if (!hasCode(error, "ESRCH")) throw error;
    }
    while (await runsOn(this.#data, running.pid)) await sleep(10);
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

  /** Adopts the PostgreSQL that runs on this data, or starts one. Answers with the child if it is ours. */
  async #ensureRunning(binaries: Binaries): Promise<ChildProcess | undefined> {
    const deadline = Date.now() + startTimeoutMs;
    let obstacle = "";
    const wait = async (why: string): Promise<void> => {
      if (why !== obstacle) this.#log(`the embedded PostgreSQL waits: ${why}`);
      obstacle = why;
      await sleep(100);
    };
    while (Date.now() < deadline) {
      this.#stopping.signal.throwIfAborted();
      const file = await readPidFile(this.#data);
      if (file !== undefined && (await runsOn(this.#data, file.pid))) {
        if (await this.#adopt(file)) return undefined;
        // Another server is starting or stopping it at this moment.
        obstacle = `process ${file.pid} is on its data and does not answer`;
        await sleep(20);
        continue;
      }
      const port = await this.#choosePort();
      if (port === undefined) {
        await wait(`another program has taken its port ${this.#port}`);
        continue;
      }
      const outcome = await this.#launch(binaries, { port, deadline, dead: file?.pid });
      if (typeof outcome !== "string") return outcome;
      if (!lostRace.test(outcome)) {
        const reason = passing.exec(outcome)?.[0];
        if (reason === undefined) throw failure(this.#directory, "did not start", lastLines(outcome));
        await wait(reason);
        if (await removeEmptyPidFile(this.#data))
          this.#log("removed an empty postmaster.pid, left by a crash");
      }
    }
    throw failure(this.#directory, "did not start in time", obstacle);
  }

  /**
   * Starts PostgreSQL. Answers with the process once it accepts connections, or with what it said before it ended.
   * @param options.dead the process id in a `postmaster.pid` that was left behind
   */
  async #launch(
    binaries: Binaries,
    options: { readonly port: number; readonly deadline: number; readonly dead: number | undefined },
  ): Promise<ChildProcess | string> {
    const { port, deadline, dead } = options;
    const log = await this.#openLog();
    const { size } = await log.stat();
    const { child, ended, output } = run(binaries.postgres, {
      data: this.#data,
      account: this.#account,
      log: log.fd,
      args: [
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      // The number may belong to some other process by now. PostgreSQL would take that for a rival and refuse to
      // start, except if told (as its own pg_ctl does) that the process is merely its grandparent.
      ...(dead === undefined ? {} : { env: { PG_GRANDPARENT_PID: String(dead) } }),
    });
    await log.close();
    let running = true;
    void ended.then(() => {
      running = false;
    });
    let adopted = false;
    try {
      while (running && !adopted && Date.now() < deadline && !this.#stopping.signal.aborted) {
        const file = await readPidFile(this.#data);
        adopted = file !== undefined && file.pid === child.pid && (await this.#adopt(file));
        if (!adopted) await sleep(20);
      }
    } finally {
      if (adopted) child.unref();
      else {
        child.kill("SIGINT");
        await ended;
      }
    }
    return adopted ? child : `${output()}${await this.#logSince(size)}`;
  }

  /** The PostgreSQL that runs on this data, whoever started it and whether or not it answers yet. */
  async #findRunning(): Promise<PidFile | undefined> {
    const file = await readPidFile(this.#data);
    return file !== undefined && (await runsOn(this.#data, file.pid)) ? file : undefined;
  }

  /**
   * Takes a running PostgreSQL for ours, with our database in it. Answers whether it could; it may yet.
   * @throws StartupError when it answers, but not to us
   */
  async #adopt({ port, ready }: PidFile): Promise<boolean> {
    if (!ready || port === undefined) return false;
    try {
      await this.#ask(port, createDatabase);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || isUnavailable(error)) return false;
      if (error.code?.startsWith("28")) throw passwordLost(this.#directory, error);
      throw failure(this.#directory, "cannot be used", error.message);
    }
    if (this.#watch !== undefined && port !== this.#port) {
      this.#log(
        `the embedded PostgreSQL is at port ${port} and no longer at ${this.#port}: restart this server`,
      );
    }
    this.#port = port;
    return true;
  }

  /** Starts PostgreSQL again whenever it dies, on the same port; more slowly when it dies again soon. */
  async #keepRunning(binaries: Binaries, first: ChildProcess | undefined): Promise<void> {
    const { signal } = this.#stopping;
    let child = first;
    let running = true;
    for (let pauseMs = 0; ; pauseMs = Math.min(pauseMs * 2 + 100, 10_000)) {
      const since = Date.now();
      if (running) {
        await this.#untilGone(child, signal);
        if (signal.aborted) return;
        this.#log("the embedded PostgreSQL has ended unexpectedly; starting it again");
        if (Date.now() - since > 30_000) pauseMs = 0;
      }
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
      try {
        child = await this.#ensureRunning(binaries);
        running = true;
        this.#log("the embedded PostgreSQL runs again");
      } catch (error) {
        if (signal.aborted) return;
        running = false;
        this.#log(error instanceof Error ? error.message : String(error));
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
    while (!signal.aborted && (await this.#findRunning()) !== undefined) {
      await sleep(500, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #othersStayConnected(): Promise<boolean> {
    const deadline = Date.now() + lingerMs;
    try {
      return await this.#ask(this.#port, async (client) => {
        for (;;) {
          const { rowCount } = await client.query(
            "select from pg_stat_activity where application_name like 'vconductor%' limit 1",
          );
          if (rowCount === 0 || Date.now() > deadline) return rowCount !== 0;
          await sleep(50);
        }
      });
    } catch {
      return false;
    }
  }

  async #openLog() {
    const path = join(this.#directory, "postgresql.log");
    const log = await open(path, "a", 0o600);
    await chmod(path, 0o600).catch(() => {});
    return log;
  }

  /** What was written to PostgreSQL's log beyond its first `size` bytes; of several that start at once, by each. */
  async #logSince(size: number): Promise<string> {
    const log = await readFile(join(this.#directory, "postgresql.log")).catch(() => Buffer.alloc(0));
    return log.subarray(size).toString().trimEnd();
  }

  /**
   * The port of last time, if it is free: whoever holds the address need not learn a new one. While the server runs
   * its connections are bound to the address, so no other port will do.
   */
  async #choosePort(): Promise<number | undefined> {
    if (this.#watch !== undefined) return (await freePort(this.#port)) === undefined ? undefined : this.#port;
    const path = join(this.#directory, "port");
    const last = Number((await readFile(path, "utf8").catch(() => "")).trim());
    if (Number.isInteger(last) && last > 0 && (await freePort(last)) !== undefined) return last;
    const port = await freePort(0);
    if (port === undefined) throw new Error("no free port on 127.0.0.1");
    await writeFile(path, `${port}\n`);
    return port;
  }

  #urlOf(port: number, name: string): string {
    return `postgres://${role}:${encodeURIComponent(this.#password)}@127.0.0.1:${port}/${name}`;
  }

  async #ask<Result>(port: number, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({
      connectionString: this.#urlOf(port, "postgres"),
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

function lastLines(text: string): string {
  return text.split("\n").slice(-5).join("\n");
}

async function createDatabase(client: pg.Client): Promise<void> {
  const found = await client.query("select from pg_database where datname = $1", [database]);
  if (found.rowCount !== 0) return;
  await client.query(`create database ${client.escapeIdentifier(database)}`).catch((error: unknown) => {
    // Another server made it in the same moment.
    if (!hasCode(error, "42P04") && !hasCode(error, "23505")) throw error;
  });
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

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
