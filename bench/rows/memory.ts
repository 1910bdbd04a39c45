import { setTimeout as sleep } from "node:timers/promises";
import { memoryOf, processTree } from "../process-tree.ts";
import type { Row } from "../row.ts";

/** Measured first, on a server that has done nothing yet. Its PostgreSQL is not among its processes. */
export const memory: Row = {
  name: "memory",
  title: "memory of a default server, idle, without PostgreSQL",
  unit: "MB",
  floor: 250,
  async measure({ server, plan, signal }) {
    await sleep(plan.idleMs, undefined, { signal });
    const pids = await processTree(server.pid);
    const each = await Promise.all(pids.map(memoryOf));
    const result = each.reduce((total, { rss }) => total + rss, 0);
    return {
      result,
      rounds: [result],
      details: {
        processes: pids.length,
        rss_mb: result,
        pss_mb: each.reduce((total, { pss }) => total + pss, 0),
      },
    };
  },
};
