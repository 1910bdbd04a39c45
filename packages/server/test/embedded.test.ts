import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
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

/** A zombie is dead, only not yet collected by its parent. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self") || !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function killAndWait(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  while (isAlive(pid)) await nextTurn();
}

/** Resolves at the next line of the log that has the text in it. */
function logged(text: string): Promise<void> {
  return new Promise((done) => {
    onLine = (line) => {
      if (line.includes(text)) done();
    };
  });
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
  const again = logged("runs again");
  process.kill(before, "SIGKILL");
  await again;
  expect(instance.url()).toBe(url);
  expect(postmaster()).not.toBe(before);
  expect(await query(url, "select answer from kept")).toEqual([{ answer: 42 }]);
  expect(lines[0]).toContain("ended unexpectedly");
});

test("waits for its port when another program has taken it, for the address must stay", async () => {
  const instance = await startHere();
  const url = instance.url();
  const thief = createServer();
  const steal = (): Promise<boolean> =>
    new Promise((done) => {
      thief.once("error", () => done(false)).once("listening", () => done(true));
      thief.listen(Number(new URL(url).port), "127.0.0.1");
    });
  const waits = logged("taken its port");
  do {
    const pid = postmaster();
    if (pid !== undefined && isAlive(pid)) await killAndWait(pid);
  } while (!(await steal()));
  await waits;
  const again = logged("runs again");
  thief.close();
  await again;
  expect(instance.url()).toBe(url);
  await query(url, "select 1");
});

test("a start while another server is stopping PostgreSQL waits, and starts it anew", async () => {
  const first = await startHere();
  // Something to write at the shutdown, which makes it last.
  await query(first.url(), "create table kept as select n from generate_series(1, 300000) n");
  const before = postmaster();
  const stopped = first.stop();
  const status = () => readFile(join(directory, "postgres", "postmaster.pid"), "utf8").catch(() => "gone");
  while (!/stopping|gone/.test(await status())) await nextTurn();
  const second = await startHere();
  await stopped;
  expect(postmaster()).not.toBe(before);
  expect(await query(second.url(), "select count(*)::int as rows from kept")).toEqual([{ rows: 300_000 }]);
});

test("ends PostgreSQL although a process that was killed has left a query running in it", async () => {
  const instance = await startHere();
  const pid = postmaster();
  const script = `
    const client = new (require("pg").Client)({ connectionString: process.argv[1], application_name: "vconductor worker" });
    client.connect().then(() => client.query("select pg_sleep(600)"));
  `;
  const worker = spawn(process.execPath, ["-e", script, instance.url()], { cwd: import.meta.dirname });
  processes.push(worker);
  const asleep = "select from pg_stat_activity where query like 'select pg_sleep%'";
  while ((await query(instance.url(), asleep)).length === 0) await nextTurn();
  worker.kill("SIGKILL");
  await once(worker, "exit");
  await instance.stop();
  expect(pid !== undefined && isAlive(pid)).toBe(false);
});

test("starts although a living process has the number of the PostgreSQL that was killed", async () => {
  await (await startHere()).stop();
  const { uid, gid } = statSync(join(directory, "postgres"));
  const other = spawn("sleep", ["600"], isRoot ? { uid, gid } : {});
  processes.push(other);
  const file = join(directory, "postgres", "postmaster.pid");
  await writeFile(file, `${other.pid}\n/proc/self/cwd\n1700000000\n1\n\n127.0.0.1\n 1 1\nready   \n`);
  await chown(file, uid, gid);
  await query((await startHere()).url(), "select 1");
  expect(other.pid !== undefined && isAlive(other.pid)).toBe(true);
});

test("waits while another server has made the lock file and not written it yet", async () => {
  await (await startHere()).stop();
  const file = join(directory, "postgres", "postmaster.pid");
  await writeFile(file, "");
  const waits = logged('lock file "postmaster.pid" is empty');
  const start = startHere();
  await waits;
  expect(existsSync(file)).toBe(true);
  await rm(file);
  await query((await start).url(), "select 1");
});

test("starts although a crash of the machine has left an empty lock file", async () => {
  await (await startHere()).stop();
  const file = join(directory, "postgres", "postmaster.pid");
  await writeFile(file, "");
  await utimes(file, 0, 0);
  await query((await startHere()).url(), "select 1");
  expect(lines.at(-1)).toContain("empty postmaster.pid");
});

test.each([
  ["is missing", (path: string) => rm(path)],
  ["is empty", (path: string) => writeFile(path, "")],
  ["is another one", (path: string) => writeFile(path, "another\n")],
])("when the password %s it says so, and leaves nothing running", async (_, spoil) => {
  await (await startHere()).stop();
  await spoil(join(directory, "password"));
  const error = await create()
    .start()
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(StartupError);
  expect(error).toMatchObject({ message: expect.stringContaining("does not open the database") });
  expect(postmaster()).toBeUndefined();
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
    const pid = postmaster();
    if (pid === undefined) throw new Error("PostgreSQL is not running");
    expect(statSync(`/proc/${pid}`).uid).toBe(uid);

    // It must find its files again for a checkpoint, for the recovery after a crash, and at the next start.
    await query(instance.url(), "checkpoint");
    await query(instance.url(), "insert into kept values (43)");
    const again = logged("runs again");
    process.kill(pid, "SIGKILL");
    await again;
    await instance.stop();
    const next = await startHere();
    expect(await query(next.url(), "select answer from kept order by 1")).toEqual([
      { answer: 42 },
      { answer: 43 },
    ]);
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
