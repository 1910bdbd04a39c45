/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A job in the hands of a worker, as `POST /work/{queue}/claim` gives it. */
export interface RemoteJob {
  /** Names it in everything that the worker says about it. */
  readonly run_id: number;
  /** The same for all attempts. */
  readonly job_id: number;
  readonly queue: string;
  /** Whatever it was queued with; `service` for a step of a pipeline. */
  readonly job_type: string;
  readonly vcon_uuid: readonly string[];
  readonly payload: Json;
  /** 1 for the first; workers that died and jobs that were handed back do not count. */
  readonly attempt: number;
  /** RFC 3339 */
  readonly lease_until: string;
  readonly queued_at: string;
}

/** One attempt at a job; the members that clients need most. */
export interface Run {
  readonly id: number;
  readonly queue: string;
  readonly job_id: number;
  readonly attempt: number;
  readonly worker: string;
  readonly progress: number;
  readonly message: string | null;
  /** Null while it goes on. */
  readonly outcome: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** A large one is a pointer here; `Client.result` reads all of it. */
  readonly result: Json;
}

/**
 * Why a job is to stop. `cancelled`: somebody cancelled it, for good. `lost`: the server gave it to another worker, for
 * want of heartbeats. `stopping`: the worker stops, and its time to finish is up; the job goes back to its queue.
 */
export type StopReason = "cancelled" | "lost" | "stopping";
