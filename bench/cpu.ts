import { readFile } from "node:fs/promises";
import { processTree } from "./process-tree.ts";

/** /proc counts processor time in these. */
const ticksPerSecond = 100;

/** Processes of which the processor time is told together. */
export interface Group {
  readonly name: string;
  readonly root: number;
  /** The process itself, its descendants, or both. */
  readonly which: "root" | "descendants" | "all";
}

/** Percent of one core, by name: of each group, of all other programs (`others`), and of other machines (`stolen`). */
export type Cpu = Readonly<Record<string, number>>;

/**
 * Tells who spends the processor's time during `work`: whether it is the server, and whether the load generator or
 * something else is in the way. Processes that come or go meanwhile count as others.
 */
export async function withCpu(groups: readonly Group[], work: () => Promise<void>): Promise<Cpu> {
  const begun = performance.now();
  const before = await snapshot(groups);
  await work();
  const after = await snapshot(groups);
  const percent = (ticks: number) => (ticks / ticksPerSecond / ((performance.now() - begun) / 1000)) * 100;
  const spent = groups.map(({ name }, index) => {
    const then = before.groups[index];
    let ticks = 0;
    for (const [pid, count] of after.groups[index] ?? []) ticks += count - (then?.get(pid) ?? count);
    return [name, ticks] as const;
  });
  const ours = spent.reduce((total, [, ticks]) => total + ticks, 0);
  const others = Math.max(0, after.busy - before.busy - ours);
  const all = [...spent, ["others", others] as const, ["stolen", after.stolen - before.stolen] as const];
  return Object.fromEntries(all.map(([name, ticks]) => [name, percent(ticks)]));
}

async function snapshot(groups: readonly Group[]) {
  const machine = await machineTicks();
  return { ...machine, groups: await Promise.all(groups.map(groupTicks)) };
}

async function groupTicks({ root, which }: Group): Promise<ReadonlyMap<number, number>> {
  const tree = which === "root" ? [root] : await processTree(root);
  const pids = which === "descendants" ? tree.slice(1) : tree;
  return new Map(await Promise.all(pids.map(async (pid) => [pid, await processTicks(pid)] as const)));
}

async function processTicks(pid: number): Promise<number> {
  // The name, in brackets, may hold anything; user and system time are the 12th and 13th field behind it.
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

async function machineTicks(): Promise<{ readonly busy: number; readonly stolen: number }> {
  const text = await readFile("/proc/stat", "utf8").catch(() => "");
  const fields = (text.split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = fields;
  return { busy: user + nice + system + irq + softirq, stolen };
}
