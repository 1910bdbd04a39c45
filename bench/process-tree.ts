import { readdir, readFile } from "node:fs/promises";

/** Processes of this machine, from /proc. */

/** A process and all its descendants. @throws Error where there is no /proc */
export async function processTree(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = await parentOf(pid);
    if (parent !== undefined) parents.set(pid, parent);
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

export interface Memory {
  /** Megabytes (10^6 bytes) in memory. What processes share counts once for each. */
  readonly rss: number;
  /** Likewise, what is shared divided among those that share it. */
  readonly pss: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024) / 1e6;
  return { rss: megabytes("Rss"), pss: megabytes("Pss") };
}

async function parentOf(pid: number): Promise<number | undefined> {
  // The name, in brackets, may hold anything; the parent is the second field behind it.
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const parent = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  return Number.isInteger(parent) ? parent : undefined;
}
