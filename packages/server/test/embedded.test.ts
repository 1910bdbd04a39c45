import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as nextTurn } from "node:timers/promises";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmbeddedPostgres } from "../src/database/embedded.ts";
import { StartupError } from "../src/startup-error.ts";

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

let directory: string;
let instances: EmbeddedPostgres[];
let processes: ChildProcess[];
let lines: string[];
let onLine: (line: string) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "vconductor-embedded-"));
  instances = [];
  processes = [];
  lines = [];
  onLine = () => {};
});

afterEach(async () => {
  for (const child of processes) if (child.exitCode === null) child.kill("SIGKILL");
  await Promise.all(instances.map((instance) => instance.stop()));
  // What no instance of this test knows of any more, when the test has failed half way.
  const pid = postmaster();
  if (pid !== undefined && isAlive(pid)) await killAndWait(pid);
  await rm(directory, { recursive: true, force: true });
});

/** PostgreSQL's process id, as in its data directory. */
function postmaster(): number | undefined {
  const path = join(directory, "postgres", "postmaster.pid");
  return existsSync(path) ? Number(readFileSync(path, "utf8").split("\n")[0]) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  while (isAlive(pid)) await nextTurn();
}

function create(): EmbeddedPostgres {
  const instance = new EmbeddedPostgres({
    directory,
    log: (line) => {
      lines.push(line);
      onLine(line);
    },
  });
  instances.push(instance);
  return instance;
}

async function startHere(): Promise<EmbeddedPostgres> {
  const instance = create();
  await instance.start();
  return instance;
}

/** Another process on the same directory, in a process group of its own. */
function spawnOwner(...args: readonly string[]): ChildProcess {
  const script = join(import.meta.dirname, "setup", "run-embedded.ts");
  const child = spawn(process.execPath, [script, directory, ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  processes.push(child);
  return child;
}

interface Report {
  readonly url?: string;
  readonly message?: string;
  readonly remedy?: string;
}

async function reportOf(child: ChildProcess): Promise<Report> {
  if (child.stdout === null) throw new Error("the process has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const report: Report = JSON.parse(line);
    return report;
  }
  throw new Error("the process ended without a report");
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function halves(): readonly string[] {
  return readdirSync(directory).filter((name) => name.startsWith("postgres.new-"));
}

/** The process that makes the data directory. It works in the half one. */
async function untilInitdb(): Promise<number> {
  for (;;) {
    for (const pid of readdirSync("/proc")) {
      try {
        if (readlinkSync(`/proc/${pid}/cwd`).startsWith(join(directory, "postgres.new-"))) return Number(pid);
      } catch {
        // Not a process, gone already, or not ours.
      }
    }
    await nextTurn();
  }
}

test("start, stop and start again: the data and the address stay", async () => {
  const first = await startHere();
  const url = first.url();
  await query(url, "create table kept as select 42 as answer");
  const pid = postmaster();
  await first.stop();
  expect(pid !== undefined && isAlive(pid)).toBe(false);

  const second = await startHere();
  expect(await query(second.url(), "select answer from kept")).toEqual([{ answer: 42 }]);
  expect(second.url()).toBe(url);
});

test("stop is safe without start, and twice", async () => {
  await create().stop();
  const instance = await startHere();
  await instance.stop();
  await instance.stop();
});

test("the data are durable and for their owner's eyes only", async () => {
  const instance = await startHere();
  const [row] = await query(
    instance.url(),
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as addresses",
  );
  expect(row).toEqual({ fsync: "on", commit: "on", addresses: "127.0.0.1" });
  expect(statSync(join(directory, "password")).mode & 0o077).toBe(0);
  expect(statSync(join(directory, "postgres")).mode & 0o077).toBe(0);
  const anonymous = new URL(instance.url());
  anonymous.password = "wrong";
  await expect(query(anonymous.href, "select 1")).rejects.toThrow(/authentication failed/);
});

test("adopts the PostgreSQL of a process that was killed", async () => {
  const owner = spawnOwner();
  const { url } = await reportOf(owner);
  expect(url).toBeDefined();
  const pid = postmaster();
  owner.kill("SIGKILL");
  await once(owner, "exit");

  const heir = await startHere();
  expect(heir.url()).toBe(url);
  expect(postmaster()).toBe(pid);
  await query(heir.url(), "select 1");
  await heir.stop();
  expect(pid !== undefined && isAlive(pid)).toBe(false);
});

test("two processes that start at once on a fresh directory share one PostgreSQL", async () => {
  const [other] = await Promise.all([reportOf(spawnOwner()), startHere()]);
  expect(other.url).toBe(instances[0]?.url());
  expect(halves()).toEqual([]);
});

test("two in one process do so too", async () => {
  const [first, second] = await Promise.all([startHere(), startHere()]);
  expect(first.url()).toBe(second.url());
  expect(halves()).toEqual([]);
});

test("goes on while another server is connected, and the last one to stop ends it", async () => {
  const [first, second] = [await startHere(), await startHere()];
  const pid = postmaster();
  const server = new pg.Client({ connectionString: second.url(), application_name: "vconductor test" });
  await server.connect();
  await first.stop();
  expect((await server.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await server.end();
  await second.stop();
  expect(pid !== undefined && isAlive(pid)).toBe(false);
});

test("starts PostgreSQL again when it was killed, at the same address and with the data", async () => {
  const instance = await startHere();
  const url = instance.url();
  await query(url, "create table kept as select 42 as answer");
  const before = postmaster();
  if (before === undefined) throw new Error("PostgreSQL is not running");
  const again = new Promise<void>((done) => {
    onLine = (line) => {
      if (line.includes("runs again")) done();
    };
  });
  process.kill(before, "SIGKILL");
  await again;
  expect(instance.url()).toBe(url);
  expect(postmaster()).not.toBe(before);
  expect(await query(url, "select answer from kept")).toEqual([{ answer: 42 }]);
  expect(lines[0]).toContain("ended unexpectedly");
});

describe.skipIf(!existsSync("/proc/self/cwd"))("a data directory that is half made", () => {
  test("is removed when its making fails, and the next start makes it anew", async () => {
    const start = create().start();
    const failed = expect(start).rejects.toThrow(/could not make its data directory/);
    process.kill(await untilInitdb(), "SIGKILL");
    await failed;
    expect(halves()).toEqual([]);
    expect(existsSync(join(directory, "postgres"))).toBe(false);

    await query((await startHere()).url(), "select 1");
  });

  test("is removed by the next start when everything was killed", async () => {
    const owner = spawnOwner();
    await untilInitdb();
    if (owner.pid === undefined) throw new Error("the process did not start");
    process.kill(-owner.pid, "SIGKILL");
    await once(owner, "exit");
    expect(halves()).toHaveLength(1);

    await query((await startHere()).url(), "select 1");
    expect(halves()).toEqual([]);
  });
});

test("a directory that is a file is refused with a remedy", async () => {
  const instance = new EmbeddedPostgres({ directory: import.meta.filename, log: () => {} });
  const error = await instance.start().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(StartupError);
  expect(error).toMatchObject({ message: expect.stringContaining(import.meta.filename) });
  expect(error).toMatchObject({ remedy: expect.stringContaining("VCON_STORAGE_URL=embedded:") });
});

describe.skipIf(!isRoot)("as root", () => {
  test("PostgreSQL runs as another user, beneath a directory that only root may enter", async () => {
    await chmod(directory, 0o700);
    expect(statSync(directory).uid).toBe(0);
    const instance = await startHere();
    await query(instance.url(), "create table kept as select 42 as answer");
    const uid = statSync(join(directory, "postgres")).uid;
    expect(uid).not.toBe(0);
    expect(statSync(`/proc/${postmaster()}`).uid).toBe(uid);
  });

  test("a data directory that belongs to root is refused to another user, by name and with a remedy", async () => {
    const report = await reportOf(spawnOwner(String(nobody)));
    expect(report.message).toContain(directory);
    expect(report.message).toMatch(/belongs to root \(uid 0\), and this server runs as .*\(uid 65534\)/);
    expect(report.remedy).toContain("VCON_STORAGE_URL=embedded:");
  });

  test("the data of a PostgreSQL that root started are refused to another user too", async () => {
    await (await startHere()).stop();
    await chmod(directory, 0o777);
    const report = await reportOf(spawnOwner(String(nobody)));
    expect(report.message).toMatch(/belongs to .*, and this server runs as .*\(uid 65534\)/);
    expect(report.remedy).toContain("VCON_STORAGE_URL=embedded:");
  });
});
