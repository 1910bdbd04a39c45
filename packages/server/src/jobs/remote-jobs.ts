import type { Viewer } from "../access/principal.ts";
import type { Transaction } from "../database/database.ts";
import type { HandedJob, NewJob, QueueKind, RetryPolicy } from "./job-queue.ts";
import type { RunError } from "./run.ts";

/** Queues whose jobs are handed to whoever asks for them. */
export type RemoteKind = Exclude<QueueKind, "pipeline">;

/** Who works: it sees its tenant's jobs, of the queues that it may work on. */
export interface WorksFor {
  readonly kind: RemoteKind;
  readonly viewer: Viewer;
  /** Undefined: all */
  readonly queues?: readonly string[] | undefined;
}

/** A job in the hands of a remote worker. */
export interface RemoteJob extends HandedJob {
  readonly leaseUntil: Date;
  readonly queuedAt: Date;
}

/** What a worker tells of a run, and what it is told. */
export interface RemoteHeartbeat {
  readonly leaseUntil: Date;
  readonly cancelRequested: boolean;
  /** Its worker is to take no more jobs. */
  readonly drain: boolean;
}

/**
 * Jobs of remote workers: whoever may work on a queue takes them out, and ends their runs by number. Every method has
 * committed when it answers. A run of another kind, tenant or queue is `run_not_found`; one that has ended, or whose lease
 * has passed on, is `run_not_active`.
 */
export interface RemoteJobs {
  /**
   * Hands up to `limit` jobs of one queue to a worker, each with a new run. A paused queue and a worker that is disabled
   * get none. vCons are not locked: the worker writes them like any other caller.
   *
   * @param options.leaseMs undefined: for as long as it takes
   */
  claim(
    options: Omit<WorksFor, "queues"> & {
      readonly queue: string;
      readonly limit: number;
      readonly worker: string;
      readonly server: string;
      readonly leaseMs: number | undefined;
    },
  ): Promise<readonly RemoteJob[]>;
  /** As `claim`, as a part of a transaction. */
  claimIn(tx: Transaction, options: Parameters<RemoteJobs["claim"]>[0]): Promise<readonly RemoteJob[]>;
  /** Extends the lease, and notes how far the work is. @throws run_not_found, run_not_active */
  heartbeat(options: {
    readonly runId: number;
    readonly by: WorksFor;
    /** Undefined: as long as at the claim. */
    readonly leaseMs: number | undefined;
    readonly progress?: number | undefined;
    readonly message?: string | undefined;
  }): Promise<RemoteHeartbeat>;
  /** As `heartbeat`, as a part of a transaction. @throws run_not_active also for one that is not the worker's */
  heartbeatIn(tx: Transaction, options: Parameters<RemoteJobs["heartbeat"]>[0]): Promise<void>;
  /**
   * Ends a run as done, and queues its follow-up jobs with it. Doing so again changes nothing.
   * @throws run_not_found, run_not_active, queue_not_found (of a follow-up job; nothing is done then)
   */
  complete(options: {
    readonly runId: number;
    readonly by: WorksFor;
    readonly result: unknown;
    readonly followUps: readonly NewJob[];
  }): Promise<void>;
  /**
   * Ends a run as failed: it is tried again, or goes to the failure queue, as the queue's settings say. One that was to be
   * cancelled is. Saying so again changes nothing.
   *
   * @param options.retry whether trying again could help
   * @throws run_not_found, run_not_active
   */
  fail(options: {
    readonly runId: number;
    readonly by: WorksFor;
    readonly error: RunError;
    readonly retry: boolean;
  }): Promise<"retry" | "failed" | "cancelled">;
  /**
   * Ends a run as a part of a transaction, for who keeps account of jobs elsewhere. `released`: its job waits again, at its
   * old place; otherwise it is gone. Does nothing when the run has ended. To be called after its row was locked.
   */
  settleIn(
    tx: Transaction,
    options: {
      readonly runId: number;
      readonly outcome: "failed" | "cancelled" | "released";
      readonly reason: string;
    },
  ): Promise<void>;
  /**
   * A worker is there. Extends the lease of the run that it names, which is its own from now on, and of those of its runs
   * that are younger than `leaseMs`: it may not have come to name them. Only runs of the viewer's tenant.
   */
  attend(options: {
    readonly kind: RemoteKind;
    readonly viewer: Viewer;
    readonly worker: string;
    /** The run that it names. */
    readonly runId?: number | undefined;
    readonly leaseMs: number;
    readonly progress?: number | undefined;
  }): Promise<void>;
  /** Takes the job with this unique key off its queue, as a part of a transaction, if it waits there. */
  withdrawIn(tx: Transaction, options: { readonly queue: string; readonly uniqueKey: string }): Promise<void>;
  /** Hands a job back unfinished; it keeps its place and no attempt is used up. @throws run_not_found, run_not_active */
  release(options: {
    readonly runId: number;
    readonly by: WorksFor;
    readonly reason: string;
  }): Promise<"released" | "cancelled">;
}

/** What a queue of remote workers does with jobs that failed. */
export interface QueueSettings extends RetryPolicy {
  readonly failureQueue: string | undefined;
}

/** The settings in force for what is kept of a queue. */
export function queueSettings(attributes: Readonly<Record<string, unknown>>): QueueSettings {
  const { retry_limit, retry_delay, retry_backoff, failure_queue } = attributes;
  return {
    limit: typeof retry_limit === "number" ? retry_limit : 3,
    delayMs: (typeof retry_delay === "number" ? retry_delay : 1) * 1000,
    backoff: typeof retry_backoff === "boolean" ? retry_backoff : true,
    failureQueue: typeof failure_queue === "string" && failure_queue !== "" ? failure_queue : undefined,
  };
}
