import { existsSync, readFileSync } from "node:fs";
import { readFile, readlink, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A PostgreSQL that starts makes its file and writes it in the next moment; one that stays empty is left over. */
const emptyForMs = 5_000;

/** What `postmaster.pid` tells about the PostgreSQL that runs on a data directory, or ran there last. */
export interface PidFile {
  readonly pid: number;
  readonly port: number | undefined;
  /** Whether it accepts connections; otherwise it is starting, recovering or stopping. */
  readonly ready: boolean;
}

/** @param data PostgreSQL's data directory */
export async function readPidFile(data: string): Promise<PidFile | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  // Process id, directory, time, port, socket directory, address, shared memory, status.
  const [first, , , port, , , , status] = text.split("\n");
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(port) || undefined, ready: status?.trim() === "ready" };
}

/**
 * Removes a `postmaster.pid` that a crash of the machine has left without content: PostgreSQL would not start beside it.
 * @returns whether it did
 */
export async function removeEmptyPidFile(data: string): Promise<boolean> {
  const path = join(data, "postmaster.pid");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size > 0 || Date.now() - found.mtimeMs < emptyForMs) return false;
  await rm(path, { force: true });
  return true;
}

/**
 * Whether the process is a PostgreSQL on this data directory. After a reboot or in a new container, the number in a
 * `postmaster.pid` that was left behind often belongs to another process. Without /proc any living process counts.
 */
export async function runsOn(data: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (!existsSync("/proc/self")) return true;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  if (name.trim() !== "postgres") return false;
  try {
    // PostgreSQL works in its data directory.
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(data));
  } catch {
    // Another user's process, and we may not look: better to wait for it than to start a second one.
    return isAlive(pid);
  }
}

/** A zombie is dead: in a container its parent may never collect it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name is in brackets, and may hold any character.
    return !/^ [ZX]/.test(state.slice(state.lastIndexOf(")") + 1));
  } catch {
    return !existsSync("/proc/self") || existsSync(`/proc/${pid}`);
  }
}
