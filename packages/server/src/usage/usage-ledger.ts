import type { Usage } from "../processors/define.ts";

/** One paid call. */
export interface UsageEntry extends Usage {
  /** The pipeline; undefined for a processor that was run alone. */
  readonly queue?: string | undefined;
  /** Undefined for what was run at once, without a job. */
  readonly runId?: number | undefined;
  readonly processor: string;
  /** US dollars; undefined when the model's price is not known. */
  readonly cost?: number | undefined;
}

/** The sum of some paid calls. */
export interface UsageSum {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly audioSeconds: number;
  /** US dollars, of those calls whose price is known. */
  readonly cost: number;
  /** How many calls have no known price. */
  readonly unpriced: number;
}

/** A sum with what it is of. */
export interface UsageGroup extends UsageSum {
  /** The day in UTC, as YYYY-MM-DD. */
  readonly day: string;
  readonly queue: string | null;
  readonly provider: string;
  readonly model: string;
}

/** The record of paid calls: what they used, and the answers that a retry of their job takes instead of calling again. */
export interface UsageLedger {
  /** Adds a call, and keeps its answer for retries of `keep.jobId`, both or neither. Committed when it answers. */
  record(options: {
    readonly entry: UsageEntry;
    readonly keep?: { readonly jobId: number; readonly key: string; readonly answer: string } | undefined;
  }): Promise<void>;
  /** The answer that was kept, if there is one. */
  kept(options: { readonly jobId: number; readonly key: string }): Promise<string | undefined>;
  /** What the calls of a queue used since `since`. */
  ofQueue(options: { readonly queue: string; readonly since: Date }): Promise<UsageSum>;
  /** What each of these runs used; those that used nothing are not there. */
  ofRuns(runIds: readonly number[]): Promise<ReadonlyMap<number, UsageSum>>;
  /** By day, queue, provider and model; newest day first. At most 10 000 groups. */
  summary(options: {
    readonly since: Date;
    readonly until: Date;
    readonly queue?: string | undefined;
  }): Promise<readonly UsageGroup[]>;
  /** Forgets what is older. */
  purge(olderThanDays: number): Promise<void>;
}
