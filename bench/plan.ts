/** How long and how much is measured. */
export interface Plan {
  readonly connections: number;
  readonly rounds: number;
  /** Milliseconds of one round of the rows that are measured by time. */
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** Milliseconds of one measurement of the raw database, for INSERTs and SELECTs each. */
  readonly rawMs: number;
  /** Jobs of one round through the pipeline, each with a vCon of its own. */
  readonly jobs: number;
  /** Single jobs whose pickup is measured. */
  readonly pickups: number;
  /** Tasks of the ledger that wait at the beginning of a round in which they are claimed. */
  readonly claimedTasks: number;
  /** Finished tasks beside which everything is measured again. */
  readonly finishedTasks: number;
  /** Milliseconds that the server is left alone before its memory is read. */
  readonly idleMs: number;
}

export const fullPlan: Plan = {
  connections: 16,
  rounds: 3,
  roundMs: 4000,
  warmUpMs: 2000,
  rawMs: 2000,
  jobs: 5000,
  pickups: 100,
  claimedTasks: 30_000,
  finishedTasks: 1_000_000,
  idleMs: 3000,
};

/** Enough to see that everything works; the figures mean little. */
export const quickPlan: Plan = {
  connections: 16,
  rounds: 1,
  roundMs: 500,
  warmUpMs: 200,
  rawMs: 250,
  jobs: 200,
  pickups: 10,
  claimedTasks: 300,
  finishedTasks: 1000,
  idleMs: 500,
};
