import type { Viewer } from "../access/principal.ts";
import type { RemoteKind } from "../jobs/remote-jobs.ts";

/** A worker that is not ours, as it was last heard of. */
export interface RemoteWorker {
  readonly id: string;
  readonly tenant: string;
  /** Gets no jobs until it is enabled again; that outlives its going away. */
  readonly disabled: boolean;
  /** What it told of itself. */
  readonly status: unknown;
  readonly firstSeen: Date;
  /** Null: it was switched before it was first heard of, or its status was deleted. */
  readonly lastSeen: Date | null;
}

interface Named {
  readonly face: RemoteKind;
  readonly id: string;
}

/** Remote workers, by the API that they use. Each tenant sees its own. */
export interface RemoteWorkers {
  /** Notes that it is there. What it tells of itself takes the place of what it told before; undefined: that stays. */
  note(
    worker: Named & {
      readonly viewer: Viewer;
      readonly status?: unknown;
      /** Whose jobs it asks for. */
      readonly queue?: string | undefined;
    },
  ): Promise<void>;
  /** How many have a job of a queue in hand, or have asked for one within the last two minutes. */
  count(options: { readonly queue: string }): Promise<number>;
  /** Whether it gets no jobs. One that is not known does, and is noted when it is next heard of. */
  isDisabled(options: Named & { readonly tenant: string }): Promise<boolean>;
  /** Most recently heard of first; at most 1000. The heartbeats of the jobs that it has in hand count. */
  list(options: { readonly face: RemoteKind; readonly viewer: Viewer }): Promise<readonly RemoteWorker[]>;
  /** The viewer's own first, where others have one of that name. @throws not_found */
  get(options: Named & { readonly viewer: Viewer }): Promise<RemoteWorker>;
  /** Also one that has not been heard of yet. */
  setDisabled(
    options: Named & { readonly tenant: string; readonly disabled: boolean },
  ): Promise<RemoteWorker>;
  /** Forgets all of it, whether it is disabled too. @throws not_found */
  forget(options: Named & { readonly tenant: string }): Promise<void>;
  /** Forgets its status, but not whether it is disabled. @throws not_found */
  forgetStatus(options: Named & { readonly tenant: string }): Promise<void>;
  /** Forgets those not heard of for so long that are not disabled. */
  purge(options: { readonly olderThanDays: number }): Promise<void>;
}
