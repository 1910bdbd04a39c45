import { execFile, spawnSync } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Debian's packages put programs, also those that are not for everybody's PATH. */
export const debianPath = [process.env.PATH ?? "", "/usr/sbin", "/usr/lib/rabbitmq/bin"].join(delimiter);

/**
 * Sees to it that a program is there, from Debian's packages if need be; that takes root.
 *
 * @returns why it cannot be had; undefined: it is there
 */
export async function installed(
  programs: readonly string[],
  packages: readonly string[],
): Promise<string | undefined> {
  if ((await missing(programs)).length === 0) return undefined;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) {
    return `${(await missing(programs)).join(", ")} cannot be installed here (Debian: apt-get install ${packages.join(" ")})`;
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
  const left = await missing(programs);
  return left.length === 0 ? undefined : `${left.join(", ")} did not come with ${packages.join(" ")}`;
}

async function missing(programs: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(programs.map(isThere));
  return programs.filter((_, index) => !found[index]);
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
