import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { RawDatabase } from "./raw.ts";

/** What the figures were measured on. Nothing here tells one machine of a kind from another. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memory_gb: number;
  readonly platform: string;
  readonly filesystem: string;
  readonly node: string;
  readonly postgresql: string;
}

const filesystems: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs (in memory: commits are not durable)",
  2035054128: "overlay",
};

export async function describeMachine(options: {
  readonly raw: RawDatabase;
  readonly directory: string;
}): Promise<Machine> {
  const { type } = await statfs(options.directory);
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() || "unknown",
    memory_gb: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    filesystem: filesystems[type] ?? `0x${type.toString(16)}`,
    node: process.versions.node,
    postgresql: await setting(options.raw, "server_version"),
  };
}

const shown = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"] as const;

/** The settings of PostgreSQL that decide what a commit costs. */
export async function databaseSettings(raw: RawDatabase): Promise<Readonly<Record<string, string>>> {
  const settings: Record<string, string> = {};
  for (const name of shown) settings[name] = await setting(raw, name);
  return settings;
}

async function setting(raw: RawDatabase, name: string): Promise<string> {
  const [row] = await raw.query(`show ${name}`);
  return String(Object.values(row ?? {})[0] ?? "");
}
