import type { Principal } from "../access/principal.ts";

/**
 * A job and its runs.
 *
 *   enqueue ─► waiting ──claim──► running ──finish──► gone (its run says `done`)
 *                ▲  ▲               │ │ │
 *                │  └── scheduled ◄─┘ │ └─► failed        (no retry left: listed, or moved to the failure queue)
 *                │     (retry delay)  │
 *                └────────────────────┘ released, requeued, crashed (keeps its place, uses up no attempt);
 *                                       suspended: as well, once the job that it waits for has ended
 *
 * A waiting job has no run. Claiming it makes one: a row with an id that is never used twice. That id is the
 * lease token: heartbeat, progress and every way to end the run name it, and are refused once the run has
 * ended, whoever ended it. A run ends exactly once, in the transaction that also moves its job.
 */
export type RunOutcome =
  /** Its effects are committed. */
  | "done"
  /** It failed and the job has no attempt left. */
  | "failed"
  /** It failed and the job will be tried again. */
  | "retry"
  /** Its worker died or stopped sending heartbeats; also the last one of a job that has crashed too often. */
  | "crashed"
  /** Its worker handed it back unfinished, for example to shut down. */
  | "released"
  /** An operator put the job back to the front of its queue. */
  | "requeued"
  /** It goes on when a remote worker has done what it asked for. */
  | "suspended"
  /** An operator took it off without a requeue, or cancelled it. */
  | "cancelled";

export const runOutcomes: readonly RunOutcome[] = [
  "done",
  "failed",
  "retry",
  "crashed",
  "released",
  "requeued",
  "suspended",
  "cancelled",
];

/** Why a run did not come out as it should. */
export interface RunError {
  /** A code of `errors.ts`, or `lease_expired`, `worker_died`, `deadline_passed`. */
  readonly code: string;
  readonly message: string;
  /** The step of the pipeline that failed, where one did. */
  readonly processor?: string | undefined;
  readonly step?: number | undefined;
}

export interface Run {
  readonly id: number;
  readonly queue: string;
  readonly jobId: number;
  readonly job: unknown;
  readonly vconUuids: readonly string[];
  /** 1 for the first; crashes and hand-backs do not count. */
  readonly attempt: number;
  readonly worker: string;
  readonly server: string;
  readonly claimedAt: Date;
  readonly heartbeatAt: Date;
  readonly leaseUntil: Date;
  /** 0 to 100 */
  readonly progress: number;
  readonly message: string | null;
  readonly cancelRequestedAt: Date | null;
  /** When it was found past its deadline with its worker not obeying; the worker is then ended. */
  readonly overdueAt: Date | null;
  readonly finishedAt: Date | null;
  readonly outcome: string | null;
  readonly error: unknown;
  readonly result: unknown;
  readonly tenant: string;
  /** For whom it was done; undefined: nobody in particular. */
  readonly principal: Principal | undefined;
}

/** Progress as it is kept: 0 to 100, whole; null: nothing was said of it. */
export function percentOf(progress: number | undefined): number | null {
  return progress === undefined ? null : Math.max(0, Math.min(100, Math.round(progress)));
}
