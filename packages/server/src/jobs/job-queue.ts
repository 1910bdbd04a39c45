import type { Principal, Viewer } from "../access/principal.ts";
import type { Transaction } from "../database/database.ts";
import type { Run, RunError } from "./run.ts";

/** What kind of worker a queue's jobs are for. A queue holds jobs of one kind. */
export type QueueKind = "pipeline" | "remote" | "celery" | "sisyphus" | "task";

export interface NewJob {
  readonly queue: string;
  readonly jobType?: string | undefined;
  readonly vconUuids: readonly string[];
  /** The queue it came from; only for the reader's information. */
  readonly fromQueue?: string | undefined;
  /** The run whose end queued this job (success and failure queues). */
  readonly originRun?: number | undefined;
  readonly payload?: unknown;
  /** Higher runs first. Default: 0 */
  readonly priority?: number | undefined;
  /** Earliest start. Default: now */
  readonly runAfter?: Date | undefined;
  /** No second job with this key waits or runs in the queue: enqueueing it again answers with the first. */
  readonly uniqueKey?: string | undefined;
  readonly error?: RunError | undefined;
  /** Its place among the others of its priority, from the sequence `job_position`. Default: after all that are there */
  readonly position?: number | undefined;
  /** For whom it is done: it is that one's tenant's. Default: nobody in particular, who may do everything */
  readonly principal?: Principal | undefined;
}

export interface Enqueued {
  readonly jobId: number;
  /** Waiting jobs in the queue after this one joined; counted exactly up to 10,000, then once a second. */
  readonly length: number;
}

export interface WaitingJob {
  readonly id: number;
  readonly queue: string;
  readonly state: string;
  readonly jobType: string;
  readonly vconUuids: readonly string[];
  readonly fromQueue: string | null;
  readonly originRun: number | null;
  readonly payload: unknown;
  readonly priority: number;
  readonly runAfter: Date | null;
  readonly attempts: number;
  readonly error: unknown;
  readonly lastRun: number | null;
  readonly createdAt: Date;
}

/** Of queues, jobs and runs, each sees its tenant's, and uses the queues of the default tenant as well. */
interface Seen {
  readonly viewer: Viewer;
}

/** A job in the hands of a worker. */
export interface HandedJob {
  readonly runId: number;
  readonly jobId: number;
  readonly queue: string;
  readonly jobType: string;
  readonly vconUuids: readonly string[];
  readonly payload: unknown;
  /** 1 for the first; crashes and hand-backs do not count. */
  readonly attempt: number;
}

/** A job in the hands of a pipeline worker. */
export interface ClaimedJob extends HandedJob {
  readonly fromQueue: string | null;
  readonly originRun: number | null;
  /** How many workers died with this job in hand. */
  readonly crashes: number;
  /** Revision of the pipeline at the moment of the claim; null where pipelines are in another database. */
  readonly pipelineRevision: number | null;
  /** For whom it is done; undefined: nobody in particular, who may do everything. */
  readonly principal: Principal | undefined;
  /** An earlier run of it asked a remote worker for something. */
  readonly hasCalled: boolean;
}

/** One stop of a cycle of tending: take up to `count` jobs from `queue`, then go on. */
export interface Turn {
  readonly queue: string;
  readonly count: number;
}

export interface FinishedRun {
  readonly runId: number;
  readonly result?: unknown;
  readonly followUps: readonly NewJob[];
}

/** `finished` now, `already` by an earlier try of the same commit, or `lost` to another run. */
export type FinishVerdict = "finished" | "already" | "lost";

export interface RetryPolicy {
  /** Retries after the first attempt. Default: 0 */
  readonly limit: number;
  /** Milliseconds before a retry. Default: 0 */
  readonly delayMs: number;
  /** Double the delay with each retry. Default: false */
  readonly backoff: boolean;
}

export interface QueueInfo {
  readonly name: string;
  readonly kind: string;
  readonly paused: boolean;
  /** As they were given; those that are in force are told by `queueSettings`. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

export interface RunFilter extends Seen {
  readonly queue?: string | undefined;
  readonly vcon?: string | undefined;
  readonly job?: number | undefined;
  readonly outcome?: string | undefined;
  readonly active?: boolean | undefined;
  readonly server?: string | undefined;
  readonly worker?: string | undefined;
  /** Only runs with a smaller id (they are listed newest first). */
  readonly before?: number | undefined;
  readonly limit: number;
}

/**
 * Queues, jobs and runs. Every method that changes something has committed when it answers, except those that
 * take a transaction: they are part of it.
 */
export interface JobQueue {
  /** @throws queue_exists */
  createQueue(options: Seen & { readonly name: string; readonly kind?: QueueKind }): Promise<void>;
  /**
   * Deletes a queue and answers with the jobs that waited in it. Jobs in progress go on.
   * @throws queue_not_found, forbidden (it is another tenant's)
   */
  deleteQueue(options: Seen & { readonly name: string }): Promise<readonly WaitingJob[]>;
  /** Takes all jobs off a queue that do not run. @throws queue_not_found, forbidden (it is another tenant's) */
  clearQueue(options: Seen & { readonly name: string }): Promise<void>;
  listQueues(options: Seen & { readonly kind: QueueKind }): Promise<readonly QueueInfo[]>;
  /**
   * Changes what is given of a queue. A paused one keeps its jobs and takes new ones, but hands none out.
   * @throws queue_not_found, forbidden (it is another tenant's)
   */
  changeQueue(
    options: Seen & {
      readonly name: string;
      readonly paused?: boolean | undefined;
      readonly attributes?: Readonly<Record<string, unknown>> | undefined;
    },
  ): Promise<void>;
  /** @throws queue_not_found */
  getQueue(name: string, viewer: Viewer): Promise<QueueInfo>;

  /** Adds one job to the tail of its queue. @throws queue_not_found */
  enqueue(job: NewJob): Promise<Enqueued>;
  /** Adds jobs as part of a transaction. @returns their ids @throws queue_not_found naming the first queue that is missing */
  enqueueIn(tx: Transaction, jobs: readonly NewJob[]): Promise<readonly number[]>;
  /** Waiting jobs in the order in which they will run; scheduled ones last. @throws queue_not_found */
  listWaiting(
    options: Seen & { readonly queue: string; readonly offset: number; readonly limit: number },
  ): Promise<readonly WaitingJob[]>;
  /** Cancels a job that waits. @throws job_not_found when no such job waits there */
  cancelWaiting(options: Seen & { readonly queue: string; readonly jobId: number }): Promise<void>;

  /**
   * Hands up to `limit` jobs to a worker, each with a new run whose lease lasts `leaseMs`, and locks the vCons of
   * those whose pipeline saves. Jobs with a locked vCon are passed over and keep their place.
   */
  claim(options: {
    readonly cycle: readonly Turn[];
    readonly limit: number;
    readonly kind: QueueKind;
    readonly worker: string;
    readonly server: string;
    readonly leaseMs: number;
  }): Promise<{
    readonly jobs: readonly ClaimedJob[];
    readonly last: { turn: number; count: number } | undefined;
  }>;
  /** Extends leases. Answers with the runs that are still the worker's, and which of them should stop. */
  heartbeat(options: {
    readonly runIds: readonly number[];
    readonly leaseMs: number;
  }): Promise<readonly { readonly runId: number; readonly cancelRequested: boolean }[]>;
  /** Notes that a run is past its deadline and its worker does not obey. */
  markOverdue(runId: number): Promise<void>;
  /** @throws run_not_active once the lease has passed on */
  progress(options: {
    readonly runId: number;
    readonly progress: number;
    readonly message?: string | undefined;
  }): Promise<void>;

  /** Ends runs as done, in the order given: jobs go, locks go, follow-up jobs come. */
  finish(tx: Transaction, runs: readonly FinishedRun[]): Promise<readonly FinishVerdict[]>;
  /**
   * Ends a run as failed: the job is tried again as the policy says, else it goes to the failure queue, else (none
   * given, or it does not exist) it stays listed as failed. One that was to be cancelled is. Answers with the outcome, or
   * undefined if the lease has passed on.
   */
  fail(options: {
    readonly runId: number;
    readonly error: RunError;
    readonly retry?: RetryPolicy;
    readonly failureQueue?: string | undefined;
  }): Promise<"retry" | "failed" | "cancelled" | undefined>;
  /**
   * Hands jobs back unfinished; no attempt is used up and each keeps its place. One that was to be cancelled is. Answers with
   * the outcome of each, or undefined if the lease has passed on.
   */
  release(options: {
    readonly runIds: readonly number[];
    readonly reason: string;
  }): Promise<readonly ("released" | "cancelled" | undefined)[]>;
  /**
   * Ends the given runs, whose worker died (or, without `runIds`, all whose lease has passed): their jobs wait
   * again at their old place; one that has now crashed `crashLimit` times fails instead. A job that has crashed
   * before is expected to run alone in its pipeline worker: those that its worker claimed after it had not begun,
   * and are merely handed back. Of other workers, each run counts.
   *
   * @param options.reachableMs for how long remote workers have been able to reach a server; those with a longer lease may
   *   yet send a heartbeat, and are not taken for dead. Default: for ever
   */
  recover(options: {
    readonly runIds?: readonly number[];
    readonly reachableMs?: number;
    readonly reason: RunError;
    readonly crashLimit: number;
    readonly failureQueueOf: (queue: string) => Promise<string | undefined>;
  }): Promise<readonly number[]>;
  /** Ends a run and puts its job to the front of its queue. @throws run_not_found, queue_not_found */
  requeueRun(runId: number, viewer: Viewer): Promise<void>;
  /** Ends a run without a requeue. @throws run_not_found */
  removeRun(runId: number, viewer: Viewer): Promise<void>;
  /** Asks a run to stop; its worker ends it. @throws run_not_found, run_not_active */
  requestCancel(runId: number, viewer: Viewer): Promise<void>;
  /**
   * Ends a run that cannot go on before another job has ended: that one is queued with it, or was before. Its own job
   * comes back to its old place then, in the same transaction, whichever way the other ends; no attempt is used up. When
   * its own job goes away first, so does the other one: it is taken off its queue, or its worker is asked to stop. A run that
   * was to be cancelled is.
   */
  suspend(options: {
    readonly runId: number;
    readonly key: string;
    readonly call: NewCall | { readonly remoteJob: number };
    readonly checkpoint: Checkpoint | undefined;
  }): Promise<void>;
  /** The remote job that a step asked for, and whether it has been waited for long enough; undefined: none yet. */
  serviceCall(options: {
    readonly jobId: number;
    readonly key: string;
  }): Promise<{ readonly remoteJob: number; readonly isOverdue: boolean } | undefined>;
  /** What became of a job, also when it is gone. */
  outcomeOf(jobId: number): Promise<JobOutcome>;
  /** Forgets what a step asked for, which is cancelled if it is not done yet: the next time it asks anew. */
  forgetServiceCall(options: { readonly jobId: number; readonly key: string }): Promise<void>;
  /** Ends a run as cancelled; its job is gone. Answers false if the lease has passed on. */
  cancelled(options: { readonly runId: number; readonly message: string }): Promise<boolean>;

  /** Jobs that failed for good, oldest first. @throws queue_not_found */
  listFailed(
    options: Seen & { readonly queue: string; readonly after: number; readonly limit: number },
  ): Promise<readonly WaitingJob[]>;
  /** Puts a failed job back to the tail of its queue, with all its attempts. @throws run_not_found, queue_not_found */
  requeueFailed(options: Seen & { readonly queue: string; readonly runId: number }): Promise<void>;

  /** The runs under way, of one worker or of all. */
  activeRuns(
    options: Seen & { readonly worker?: string; readonly kind?: QueueKind },
  ): Promise<readonly Run[]>;
  /** @throws run_not_found */
  getRun(runId: number, viewer: Viewer): Promise<Run>;
  listRuns(filter: RunFilter): Promise<readonly Run[]>;
  /** Which of these runs have ended. */
  ended(runIds: readonly number[]): Promise<readonly number[]>;

  /**
   * Makes scheduled jobs whose time has come wait, and suspended ones that have waited long enough for a remote job. Answers
   * with the milliseconds until the next one, if any.
   */
  promoteScheduled(): Promise<number | undefined>;
  /** Makes suspended jobs wait whose remote job has ended and could not wake them. Answers with how many. */
  wakeSuspended(): Promise<number>;
  /** Deletes ended runs older than this. Answers with how many went. */
  purgeRuns(options: { readonly olderThanDays: number }): Promise<number>;
  /** Waiting, running, scheduled and failed jobs per queue, for metrics. */
  counts(): Promise<readonly { queue: string; state: string; count: number }[]>;

  saveCheckpoint(options: { readonly jobId: number } & Checkpoint): Promise<void>;
  loadCheckpoints(jobId: number): Promise<readonly Checkpoint[]>;
}

/** A remote job that a step asks for. */
export interface NewCall {
  readonly job: NewJob;
  /** For how long it is waited for, in milliseconds. Default: until it ends */
  readonly giveUpAfterMs?: number | undefined;
}

/** The output of a step, as JSON. */
export interface Checkpoint {
  readonly step: number;
  readonly fingerprint: string;
  readonly io: string;
}

/** What became of a job. */
export interface JobOutcome {
  /** Whether it still waits or runs. */
  readonly pending: boolean;
  /** Undefined: there was none, or it was long ago. While the job runs, the run under way. */
  readonly lastRun: Run | undefined;
}
