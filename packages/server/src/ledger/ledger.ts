/**
 * The once-only ledger: each task of a pipeline is registered once, and handed out once. A pipeline here is a name for a
 * kind of work that others do; it has nothing to do with pipelines of processors.
 *
 *   register ─► PENDING ──claim──► CLAIMED ─► RUNNING ─► DONE | FAILED | CANCELLED
 *                  ▲                  │          │
 *                  └──────────────────┴──────────┘ its lease ran out, or somebody says so
 *
 * Anybody who may work on a task may set any state from any other. A PENDING task is a job that waits, so that claiming,
 * leases and recovery are the job engine's.
 */
export const taskStates = ["PENDING", "CLAIMED", "RUNNING", "DONE", "FAILED", "CANCELLED"] as const;
export type TaskState = (typeof taskStates)[number];

export interface LedgerPipeline {
  readonly id: number;
  readonly name: string;
  readonly uri: string;
  readonly version: string;
}

export interface Task {
  readonly id: number;
  readonly pipeline: LedgerPipeline;
  /** SHA-256 of the canonical input, lower-case hex: see `inputIdOf`. */
  readonly inputId: string;
  /** JSON, as it was registered. */
  readonly input: string;
  readonly state: TaskState;
  /** 0 to 100 */
  readonly progress: number | null;
  readonly message: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ClaimedTask extends Task {
  /** What later writes for this claim name; they are refused once the task has passed on. */
  readonly claim: number;
  /** Undefined: it has no end. */
  readonly leaseUntil: Date | undefined;
}

/** How far a task is, as its worker tells. */
export interface TaskProgress {
  readonly progress?: number | undefined;
  readonly message?: string | undefined;
  /** As whose claim. Undefined: nobody's in particular */
  readonly claim?: number | undefined;
  readonly by: LedgerToken;
}

export interface TaskEvent {
  readonly at: Date;
  readonly change: string;
  readonly message: string | null;
  /** The description of the token; null: nobody did it, such as a lease that ran out. */
  readonly by: string | null;
}

/** Who does something. */
export interface LedgerToken {
  /** Undefined: an administrator by another way. */
  readonly id: number | undefined;
  readonly description: string;
  /** Undefined: it is an administrator's. */
  readonly pipeline: LedgerPipeline | undefined;
}

export interface ListedToken extends LedgerToken {
  readonly id: number;
  readonly issuedAt: Date;
  readonly revokedAt: Date | null;
}

/** One task: by its pipeline and the id of its input. */
export interface TaskKey {
  readonly pipeline: LedgerPipeline;
  readonly inputId: string;
}

export interface TaskFilter {
  readonly pipeline?: string | undefined;
  readonly states?: readonly TaskState[] | undefined;
  /** Changed at or after this. */
  readonly since?: Date | undefined;
}

export interface TaskPage {
  readonly limit: number;
  readonly offset: number;
}

/** A page of tasks, and how many there are in all. */
export interface TaskView {
  readonly tasks: readonly Task[];
  readonly total: number;
}

/** Pipelines, tokens and tasks. Every method that changes something has committed when it answers. */
export interface Ledger {
  /** @throws conflict there is one by that name */
  addPipeline(pipeline: Omit<LedgerPipeline, "id">): Promise<LedgerPipeline>;
  listPipelines(filter: {
    readonly uri?: string | undefined;
    readonly version?: string | undefined;
  }): Promise<readonly LedgerPipeline[]>;
  /** @throws not_found */
  getPipeline(name: string): Promise<LedgerPipeline>;

  /** @returns its text, 32 characters of hex; it cannot be had again */
  addToken(token: {
    readonly pipeline: LedgerPipeline | undefined;
    readonly description: string;
  }): Promise<string>;
  /** Undefined: there is none, or it was revoked. Others learn of a revocation within a second. */
  findToken(text: string): Promise<LedgerToken | undefined>;
  /** In the order in which they were made. @param page.after the last one of the page before */
  listTokens(page: {
    readonly limit: number;
    readonly after?: number | undefined;
  }): Promise<readonly ListedToken[]>;
  /** @throws not_found */
  revokeToken(id: number): Promise<void>;

  /** Registers a task, unless it is there: then nothing changes, whatever its state is. @param task.input JSON */
  register(task: {
    readonly pipeline: LedgerPipeline;
    readonly input: string;
    readonly by: LedgerToken;
  }): Promise<{ readonly task: Task; readonly created: boolean }>;
  /**
   * Hands out up to `limit` PENDING tasks, oldest first; each to one caller.
   *
   * @param options.leaseMs after which a task that was not heard of is PENDING again. Undefined: never
   */
  claim(options: {
    readonly pipeline: LedgerPipeline;
    readonly limit: number;
    readonly leaseMs: number | undefined;
    readonly by: LedgerToken;
  }): Promise<readonly ClaimedTask[]>;
  /**
   * Sets a state, whatever it was. CLAIMED and RUNNING keep a claim, extend its lease by its length, and keep what was said
   * of the task; PENDING forgets it.
   *
   * @throws not_found, run_not_active (the claim that is named has passed on)
   */
  update(options: TaskKey & TaskProgress & { readonly state: TaskState }): Promise<Task>;
  /**
   * Says how far a task is that is CLAIMED or RUNNING, and extends its lease.
   *
   * @param options.leaseMs how long it is from now on. Undefined: as before
   * @throws not_found, run_not_active (nobody works on it, the claim that is named has passed on, or with a lease and
   *   without its claim: another token has it)
   */
  report(options: TaskKey & TaskProgress & { readonly leaseMs: number | undefined }): Promise<Task>;
  /** @throws not_found */
  getTask(key: TaskKey): Promise<Task>;
  /** What happened to a task, oldest first. @throws not_found */
  events(key: TaskKey): Promise<readonly TaskEvent[]>;
  /** In the order of their registration. */
  listTasks(
    filter: TaskFilter & { readonly after: number; readonly limit: number },
  ): Promise<readonly Task[]>;
  /** The last changed first. */
  recentTasks(filter: TaskFilter & TaskPage): Promise<TaskView>;
  /**
   * Tasks that take longer than others of their pipeline: not DONE and not CANCELLED, and older than the mean and twice the
   * standard deviation of what its DONE tasks took. Pipelines with fewer than two of those have none. The oldest first.
   */
  longRunning(page: TaskPage): Promise<TaskView>;
}
