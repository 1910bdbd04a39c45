import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let root: string;
let processes: ChildProcess[];

/** A checkout of nothing but the script, and an npm that "installs" this Node.js and counts how often it was called. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "vconductor-run-"));
  processes = [];
  for (const name of ["scripts", "examples", "tools"]) mkdirSync(join(root, name));
  await copyFile(join(import.meta.dirname, "run.mjs"), join(root, "scripts", "run.mjs"));
  writeFileSync(join(root, "package-lock.json"), "1");
  writeNpm(`mkdir -p node_modules/.bin && ln -sf ${process.execPath} node_modules/.bin/node`);
  writeDemo('console.log("demo", ...process.argv.slice(2));');
});

afterEach(async () => {
  for (const child of processes) if (child.exitCode === null) child.kill("SIGKILL");
  await rm(root, { recursive: true, force: true });
});

function writeNpm(body: string): void {
  const path = join(root, "tools", "npm");
  writeFileSync(path, `#!/bin/sh\ncd ${root} && echo "$@" >> calls && ${body}\n`);
  chmodSync(path, 0o755);
}

function writeDemo(body: string): void {
  writeFileSync(join(root, "examples", "demo.ts"), body);
}

function npmCalls(): readonly string[] {
  const path = join(root, "calls");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, "scripts", "run.mjs"), ...args], {
    env: { ...process.env, PATH: [join(root, "tools"), process.env.PATH].join(delimiter) },
    stdio: ["ignore", "pipe", "pipe"],
    // Without a terminal of its own: what a test sends reaches this process and no other.
    detached: true,
  });
  processes.push(child);
  let output = "";
  let seen = (): void => {};
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    seen();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return {
    child,
    ended: once(child, "close").then(([code]) => ({ code: Number(code), output })),
    async until(text: string): Promise<void> {
      while (!output.includes(text)) {
        await new Promise<void>((done) => {
          seen = done;
        });
      }
    },
  };
}

const run = (...args: readonly string[]) => start(...args).ended;

test("installs what is missing, once, and hands the arguments on", async () => {
  const first = await run("demo", "--once", "a b");
  expect(first).toMatchObject({ code: 0, output: expect.stringMatching(/npm ci .*\ndemo --once a b\n$/) });
  expect(await run("demo")).toEqual({ code: 0, output: "demo\n" });
  expect(npmCalls()).toHaveLength(1);
  expect(npmCalls()[0]).toMatch(/^ci --no-audit --no-fund --loglevel=error/);
});

test("installs again when package-lock.json has changed", async () => {
  await run("demo");
  writeFileSync(join(root, "package-lock.json"), "2");
  expect((await run("demo")).output).toContain("not those of package-lock.json");
  await run("demo");
  expect(npmCalls()).toHaveLength(2);
});

test("npm does not run on the Node.js that it is about to delete", async () => {
  const npm = `mkdir -p node_modules/.bin && ln -sf ${process.execPath} node_modules/.bin/node && echo "$PATH" > path`;
  writeNpm(npm);
  const path = process.env.PATH;
  process.env.PATH = [join(root, "node_modules", ".bin"), path].join(delimiter);
  try {
    await run("demo");
  } finally {
    process.env.PATH = path;
  }
  expect(readFileSync(join(root, "path"), "utf8")).not.toContain(join(root, "node_modules"));
});

test("says so when npm fails, runs nothing, and tries again the next time", async () => {
  writeNpm("echo no network >&2 && exit 7");
  const { code, output } = await run("demo");
  expect(code).toBe(1);
  expect(output).toContain("no network\nnpm ci failed with exit code 7");
  expect(output).not.toContain("demo\n");
  await run("demo");
  expect(npmCalls()).toHaveLength(2);
  expect(existsSync(join(root, ".vconductor-install"))).toBe(false);
});

test("two runs at once install once", async () => {
  writeNpm(
    `while [ ! -e go ]; do sleep 0.02; done; mkdir -p node_modules/.bin && ln -sf ${process.execPath} node_modules/.bin/node`,
  );
  const runs = [start("demo"), start("demo")];
  // One of them waits for the other.
  await Promise.race(runs.map((one) => one.until("waiting for it")));
  writeFileSync(join(root, "go"), "");
  const ends = await Promise.all(runs.map((one) => one.ended));
  expect(ends.map((end) => end.code)).toEqual([0, 0]);
  expect(npmCalls()).toHaveLength(1);
});

describe("the lock of a run that was killed", () => {
  const holdLock = (holder: object): string => {
    const lock = join(root, ".vconductor-install");
    mkdirSync(lock);
    writeFileSync(join(lock, "holder"), JSON.stringify(holder));
    return lock;
  };

  test("does not hold up the next one", async () => {
    const gone = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(gone, "exit");
    holdLock({ pid: gone.pid, host: hostname() });
    expect((await run("demo")).code).toBe(0);
  });

  test("on another machine does not either, once it is old", async () => {
    const lock = holdLock({ pid: 1, host: "elsewhere" });
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(lock, old, old);
    expect((await run("demo")).code).toBe(0);
  });
});

test("ends with the command's exit code", async () => {
  writeDemo("process.exit(3)");
  expect((await run("demo")).code).toBe(3);
});

test("ends with 128 and the number of the signal that ended the command", async () => {
  writeDemo('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
  expect((await run("demo")).code).toBe(137);
});

test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
  "hands %s on, and waits for the command",
  async (signal) => {
    writeDemo(`
    process.on("${signal}", () => { console.log("stopped by ${signal}"); process.exit(4); });
    setInterval(() => {}, 1000);
    console.log("ready");
  `);
    const one = start("demo");
    await one.until("ready");
    one.child.kill(signal);
    expect(await one.ended).toMatchObject({
      code: 4,
      output: expect.stringContaining(`stopped by ${signal}`),
    });
  },
);

test("an unknown command is answered with the known ones", async () => {
  const { code, output } = await run("nothing");
  expect(code).toBe(1);
  expect(output).toContain("demo|start|check|bench|test");
  expect(npmCalls()).toEqual([]);
});
