import { parentPort, workerData } from "node:worker_threads";
import { Database } from "../database/database.ts";
import { Listener } from "../database/listener.ts";
import { channels, Notifier } from "../database/notifier.ts";
import { postgresJobQueue } from "../jobs/postgres-job-queue.ts";
import type { HeartbeatData, HeartbeatMessage } from "./heartbeat.ts";
import { Slots } from "./slots.ts";

// Runs beside the main thread of a pipeline worker, with a database connection of its own: a processor that keeps
// the main thread busy stops neither the heartbeat nor the deadlines.

const data = workerData as HeartbeatData;
const slots = new Slots(data.slots);
const database = new Database({ url: data.url, poolSize: 2, application: "vconductor heartbeat" });
const jobs = postgresJobQueue({
  database,
  notifier: new Notifier({ url: data.url }),
  events: { publish: () => {} },
  pipelinesHere: true,
});
const stopping = new Set<number>();

function tell(message: HeartbeatMessage): void {
  parentPort?.postMessage(message);
}

async function beat(): Promise<void> {
  const before = slots.runs();
  if (before.length === 0) return;
  const alive = await jobs.heartbeat({ runIds: before.map((run) => run.runId), leaseMs: data.leaseMs });
  const active = new Map(alive.map((run) => [run.runId, run.cancelRequested]));
  const still = new Set(slots.runs().map((run) => run.runId));
  for (const { runId } of before) {
    if (!still.has(runId)) continue;
    if (!active.has(runId)) stop(runId, "lost");
    else if (active.get(runId)) stop(runId, "cancelled");
  }
}

/** Tells the main thread to stop a run, and ends the process if it does not obey in time. */
function stop(runId: number, why: "lost" | "cancelled"): void {
  if (stopping.has(runId)) return;
  const run = slots.runs().find((candidate) => candidate.runId === runId);
  if (run === undefined) return;
  stopping.add(runId);
  tell({ type: why, runId });
  setTimeout(() => {
    stopping.delete(runId);
    // One that waits for its turn ends when that comes: no reason to end those before it.
    if (slots.runs().some((candidate) => candidate.runId === runId && candidate.begun)) endProcess();
  }, data.graceMs);
}

/**
 * A run this far past its deadline means that the main thread is stuck, as the run's own timer did not end it. One
 * that was alone did it. Of several, any may have (the clocks of the others ran on): none is blamed then, the
 * supervisor counts a crash for each, and next time each runs alone.
 */
async function enforceDeadlines(): Promise<void> {
  const now = Date.now();
  const begun = slots.runs().filter((run) => run.begun);
  const overdue = begun.filter((run) => run.deadline > 0 && run.deadline + data.graceMs < now);
  const [late] = overdue;
  if (late === undefined) return;
  if (begun.length === 1) {
    // The supervisor finds this mark when it looks at what the dead worker had in hand.
    await Promise.race([
      jobs.markOverdue(late.runId),
      new Promise((resolve) => setTimeout(resolve, 2000)),
    ]).catch(() => {});
  }
  if (slots.runs().some((run) => overdue.some(({ runId }) => runId === run.runId))) endProcess();
}

/** The main thread may be stuck in a loop, where only this still ends it. */
function endProcess(): void {
  process.kill(process.pid, "SIGKILL");
}

/**
 * With its server gone the process winds up by itself. One whose main thread is stuck cannot, and would keep its
 * lease for ever.
 */
const orphaned = setInterval(() => {
  if (process.ppid === data.parent) return;
  clearInterval(orphaned);
  setTimeout(endProcess, data.orphanMs);
}, 1000);

const listener = new Listener({
  url: data.url,
  channels: [channels.cancel],
  onNotify: () => void beat().catch(() => {}),
});

// While the database is away the beats fail; the leases are looked at anew when it is back. The first is due at once:
// part of the first run's lease has passed while this thread was loaded.
void beat().catch(() => {});
setInterval(() => void beat().catch(() => {}), Math.max(500, data.leaseMs / 3));
setInterval(() => void enforceDeadlines(), 250);
void listener.start();
