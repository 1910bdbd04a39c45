/**
 * Starts the project's commands: `node scripts/run.mjs demo|start|check|bench|test|package [arguments]`.
 *
 * Plain JavaScript for any Node.js from 20 on, with nothing installed: it installs the packages when they are missing
 * or out of date, and then runs the real command with the Node.js 24 that comes with them.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, constants as os } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const bin = join(modules, ".bin");
const installed = join(modules, ".vconductor-lock");
const lock = join(root, ".vconductor-install");
const neededNode = 24;
const beatMs = 2_000;
/** A lock whose holder has not touched it for so long is given up, whatever its process id says. */
const lockAbandonedMs = 60_000;

const targets = {
  demo: ["examples/demo.ts"],
  start: ["packages/server/src/main.ts", "serve"],
  check: ["packages/server/src/main.ts", "check"],
  bench: ["bench/main.ts"],
  test: ["scripts/test.ts"],
  package: ["scripts/package.ts"],
};

/** What went wrong, for whoever typed the command. */
class Trouble extends Error {}

async function main([name, ...rest]) {
  if (Number.parseInt(process.versions.node, 10) < 20) {
    throw new Trouble(
      `This is Node.js ${process.versions.node}. Install Node.js 20 or later: https://nodejs.org/`,
    );
  }
  if (!Object.hasOwn(targets, name ?? "")) {
    throw new Trouble(`usage: node scripts/run.mjs ${Object.keys(targets).join("|")} [arguments]`);
  }
  if (!isInstalled()) await holdingLock(install);
  const node = await findNode();
  const [script, ...fixed] = targets[name];
  return await run(node, [join(root, script), ...fixed, ...rest], {
    ...process.env,
    PATH: [bin, dirname(node), process.env.PATH].join(delimiter),
  });
}

function lockfileHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function isInstalled() {
  try {
    return readFileSync(installed, "utf8").trim() === lockfileHash();
  } catch {
    return false;
  }
}

async function install() {
  // Another run may have done it while this one waited for the lock.
  if (isInstalled()) return;
  checkWritable();
  const hash = lockfileHash();
  say(
    existsSync(modules)
      ? "The installed packages are not those of package-lock.json: running npm ci (about a minute) …"
      : "Installing the packages with npm ci (about a minute) …",
  );
  // npm ci deletes node_modules; an npm that itself runs on the Node.js in there would lose it on the way.
  const outside = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((path) => !`${path}${sep}`.startsWith(modules + sep));
  const npmArgs = [
    "ci",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--include=dev",
    "--include=optional",
  ];
  const env = { ...environmentForNpm(), PATH: outside.join(delimiter) };
  const code = await run("npm", npmArgs, env, root);
  // Stopped by whoever started it: nothing to explain.
  if (code > 128) {
    rmSync(lock, { recursive: true, force: true });
    process.exit(code);
  }
  if (code !== 0) {
    throw new Trouble(
      `npm ci failed with exit code ${code}, so the packages are not installed. npm's reason is above: often the network, ` +
        "the registry, or a full disk. Run the same command again when that is mended.",
    );
  }
  await writeFile(installed, `${hash}\n`);
}

/** An npm that started this, `npm pack --dry-run` say, hands its options on; they are not meant for another npm. */
function environmentForNpm() {
  const notMeant =
    /^npm_config_(?:dry_run|workspaces?|include_workspace_root|prefix|local_prefix|ignore_scripts)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !notMeant.test(name)));
}

function checkWritable() {
  for (const path of [root, modules]) {
    if (!existsSync(path)) continue;
    try {
      accessSync(path, constants.W_OK);
    } catch {
      const owner = nameOf(statSync(path).uid);
      throw new Trouble(
        `The packages must be installed, but ${path} is not writable: it belongs to ${owner}, and this is ` +
          `${nameOf(process.getuid?.())}. Run the command as ${owner}, or` +
          (path === modules
            ? ` remove that directory (sudo rm -rf ${path}).`
            : " work in a copy of your own."),
      );
    }
  }
}

function nameOf(uid) {
  const { status, stdout } = spawnSync("id", ["-un", String(uid)], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : `uid ${uid}`;
}

/** Runs the work while no other run on this checkout does: two npm ci at once would wreck each other. */
async function holdingLock(work) {
  checkWritable();
  for (let told = false; !(await takeLock()); told = true) {
    if (!told) say("Another run is installing the packages; waiting for it …");
    await sleep(200);
  }
  const beat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), beatMs);
  try {
    await work();
  } finally {
    clearInterval(beat);
    rmSync(lock, { recursive: true, force: true });
  }
}

async function takeLock() {
  try {
    await mkdir(lock);
    await writeFile(join(lock, "holder"), JSON.stringify({ pid: process.pid, host: hostname() }));
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  if (await isAbandoned()) {
    // Moved first: of several runs that find it abandoned, one moves it, and the others look again.
    const aside = `${lock}-${process.pid}`;
    await rename(lock, aside).catch(() => {});
    await rm(aside, { recursive: true, force: true });
  }
  return false;
}

async function isAbandoned() {
  try {
    if (Date.now() - (await stat(lock)).mtimeMs > lockAbandonedMs) return true;
    const { pid, host } = JSON.parse(await readFile(join(lock, "holder"), "utf8"));
    if (host === hostname()) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** The Node.js that npm installed for this platform, or the running one if it is new enough. */
async function findNode() {
  const own = join(bin, process.platform === "win32" ? "node.cmd" : "node");
  const { status, stdout } = spawnSync(own, ["--version"], {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status === 0 && Number.parseInt(stdout.slice(1), 10) === neededNode) return own;
  if (Number.parseInt(process.versions.node, 10) >= neededNode) return process.execPath;
  // npm passes over an optional package that it cannot fetch; the next run shall try again.
  await rm(installed, { force: true }).catch(() => {});
  throw new Trouble(
    `vConductor needs Node.js ${neededNode}. npm installed none that runs on this machine (${process.platform}-${process.arch}), and ` +
      `this is Node.js ${process.versions.node}. Run the same command again if the download may have failed, or install Node.js ${neededNode}: https://nodejs.org/`,
  );
}

/** Runs a command in the foreground. Answers with its exit code, 128 and the signal's number when one ended it. */
async function run(command, args, env, cwd = process.cwd()) {
  const child = spawn(command, args, { cwd, env, stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  // Ctrl-C reaches every process of the terminal's foreground group, so the child has it already.
  const interrupt = hasTerminal() ? () => {} : forward;
  process.on("SIGINT", interrupt).on("SIGTERM", forward).on("SIGHUP", forward);
  try {
    return await new Promise((done, fail) => {
      child.once("error", (error) => fail(new Trouble(`${command} cannot be run: ${error.message}`)));
      child.once("exit", (code, signal) => done(code ?? 128 + os.signals[signal]));
    });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", forward).off("SIGHUP", forward);
  }
}

function hasTerminal() {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  say(error.message);
  process.exitCode = 1;
}
