import { execFile, spawnSync } from "node:child_process";
import { access, constants, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Debian's packages put programs, also those that are not for everybody's PATH. */
export const debianPath = [process.env.PATH ?? "", "/usr/sbin", "/usr/lib/rabbitmq/bin"].join(delimiter);

/** Debian's own Python: another one may come first in the PATH, and knows nothing of Debian's packages. */
export const debianPython = "/usr/bin/python3";

/** Asked by Debian's packages before they start a service: 101 is no. */
const policy = "/usr/sbin/policy-rc.d";

interface Wanted {
  readonly programs: readonly string[];
  /** Of Debian's Python. */
  readonly modules: readonly string[];
  /** Where they come from. */
  readonly packages: readonly string[];
}

/**
 * Sees to it that programs are there, from Debian's packages if need be; that takes root.
 *
 * @returns why they cannot be had; undefined: they are there
 */
export async function installed(wanted: Wanted): Promise<string | undefined> {
  const { packages } = wanted;
  const lacking = await missing(wanted);
  if (lacking.length === 0) return undefined;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) {
    return `${lacking.join(", ")} cannot be installed here (Debian: apt-get install ${packages.join(" ")})`;
  }
  const problem = await install(packages).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message.slice(0, 500) : String(error)),
  );
  const left = await missing(wanted);
  if (left.length === 0) return undefined;
  return `${left.join(", ")} did not come with ${packages.join(" ")}${problem === undefined ? "" : `: ${problem}`}`;
}

async function install(packages: readonly string[]): Promise<void> {
  await tried(() => apt(["update"]));
  await withoutServices(() =>
    apt(["install", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", ...packages]),
  );
}

async function apt(args: readonly string[]): Promise<void> {
  await run("apt-get", ["-o", "Acquire::Retries=3", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 2 ** 26,
    timeout: 300_000,
  });
}

/** Another program may have the lists for a moment, and apt-get does not wait for those. */
async function tried(work: () => Promise<void>): Promise<void> {
  for (let left = 5; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !String(error).includes("/lists/lock")) throw error;
      await sleep(10_000);
    }
  }
}

/** No service of a package starts meanwhile: the tests start their own. A rule that is there stays, whatever it says. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const isOurs = await writeFile(policy, "#!/bin/sh\nexit 101\n", { flag: "wx", mode: 0o755 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
  try {
    await work();
  } finally {
    if (isOurs) await rm(policy, { force: true });
  }
}

async function missing({ programs, modules }: Wanted): Promise<readonly string[]> {
  const found = await Promise.all(programs.map(isThere));
  return [
    ...programs.filter((_, index) => !found[index]),
    ...modules.filter((module) => spawnSync(debianPython, ["-c", `import ${module}`]).status !== 0),
  ];
}

async function isThere(program: string): Promise<boolean> {
  for (const directory of debianPath.split(delimiter)) {
    try {
      await access(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Perhaps in the next one.
    }
  }
  return false;
}
