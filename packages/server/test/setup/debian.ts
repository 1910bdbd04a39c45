import { execFile, spawnSync } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Debian's packages put programs, also those that are not for everybody's PATH. */
export const debianPath = [process.env.PATH ?? "", "/usr/sbin", "/usr/lib/rabbitmq/bin"].join(delimiter);

/** Debian's own Python: another one may come first in the PATH, and knows nothing of Debian's packages. */
export const debianPython = "/usr/bin/python3";

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
  // No service of theirs is to start; the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const options = ["-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"];
  try {
    await run("apt-get", ["update"], { env, maxBuffer: 2 ** 26 });
    await run("apt-get", ["install", ...options, ...packages], { env, maxBuffer: 2 ** 26 });
  } catch (error) {
    return `installing ${packages.join(" ")} failed: ${error instanceof Error ? error.message.slice(0, 500) : error}`;
  }
  const left = await missing(wanted);
  return left.length === 0 ? undefined : `${left.join(", ")} did not come with ${packages.join(" ")}`;
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
