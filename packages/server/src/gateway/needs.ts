/** How a service stands. Workers and jobs are counted; times are in seconds. */
export interface Load {
  /** Jobs that wait, and those in hand. */
  readonly waiting: number;
  readonly running: number;
  /** Workers that ask for its jobs, and how many of them have none in hand. */
  readonly workers: number;
  readonly idle: number;
  /** New jobs a second, of late. */
  readonly arrivals: number;
  /** How long a job takes, of late; undefined: none has been done. */
  readonly serviceSeconds: number | undefined;
}

export interface ScalingRules {
  /** So many jobs may wait without more workers being asked for, while nothing is known of how long they take. */
  readonly backorderThreshold: number;
  /** Of longer queues, new workers a job. */
  readonly spawnRatio: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** Jobs that a worker does at the same time. */
  readonly concurrency: number;
  /** A worker that was asked for is waited for so long. */
  readonly bootSeconds: number;
  /** How busy workers should be, 0 to 1. */
  readonly utilisation: number;
  /** How soon those that wait should have been done. */
  readonly drainSeconds: number;
  /** Fewer workers must be enough for so long before any is released. */
  readonly downSeconds: number;
}

/** What is remembered from one assessment to the next. */
export interface ScalingState {
  /** How many workers there were to be, and when that was asked for, in milliseconds since 1970. */
  readonly target: number;
  readonly targetAt: number;
  /** Since when fewer would have been enough, and the most of them at any time since; undefined: they are needed. */
  readonly enough: { readonly since: number; readonly most: number } | undefined;
}

export interface Needs {
  /** Workers to add; negative: to release. */
  readonly need: number;
  /** Workers that there should be once that is done: for autoscalers that take a number. */
  readonly desired: number;
  /** Workers that the load needs at this moment. */
  readonly required: number;
  /** Workers that were asked for and are not there yet. */
  readonly booting: number;
  /** What the rule of the Service Gateway says, which looks at nothing but the length of the queue. */
  readonly formula: number;
  readonly state: ScalingState;
}

export const initialState: ScalingState = { target: 0, targetAt: 0, enough: undefined };

/** Fewer are released only when that makes a difference: a part of them, and one at least. */
const deadBand = 0.25;

/**
 * How many workers a service needs.
 *
 * With known rates it is the work that comes in (arrivals times duration) at the wished-for utilisation, and what it takes
 * to be done with those that wait in time. More are asked for at once, and waited for before more are asked for; fewer
 * only when they would have been enough for a while, and never fewer than were needed at any moment of it.
 */
export function assess(
  load: Load,
  { rules, state, now }: { readonly rules: ScalingRules; readonly state: ScalingState; readonly now: number },
): Needs {
  const isAwaited = now - state.targetAt < rules.bootSeconds * 1000;
  const coming = isAwaited ? Math.max(0, state.target - load.workers) : 0;
  const expected = load.workers + coming;
  const formula = byQueue(load, { rules, booting: coming });
  const required = clamp(requiredFor(load, { rules, formula, expected }), rules);
  const settled = { formula, required, booting: coming };

  if (required > expected) {
    const next = { target: required, targetAt: now, enough: undefined };
    return { ...settled, need: required - expected, desired: required, state: next };
  }
  const slack = expected - required;
  if (slack < Math.max(1, expected * deadBand)) {
    return { ...settled, need: 0, desired: expected, state: { ...state, enough: undefined } };
  }
  const enough = {
    since: state.enough?.since ?? now,
    most: Math.max(state.enough?.most ?? 0, required),
  };
  const isTime = now - enough.since >= rules.downSeconds * 1000;
  const surplus = isTime ? Math.min(load.idle, load.workers - enough.most) : 0;
  if (surplus < 1) return { ...settled, need: 0, desired: expected, state: { ...state, enough } };
  const target = load.workers - surplus;
  // What they do next is looked at anew.
  return {
    ...settled,
    booting: 0,
    need: -surplus,
    desired: target,
    state: { target, targetAt: now, enough: { since: now, most: required } },
  };
}

/**
 * What is remembered when nobody could be told what was found: then it is found again.
 *
 * @param state what has been remembered since @param before what was remembered when it was found
 */
export function takenBack(state: ScalingState, before: ScalingState): ScalingState {
  const { target, targetAt } = before;
  const enough =
    state.enough === undefined || before.enough === undefined
      ? state.enough
      : { since: before.enough.since, most: Math.max(before.enough.most, state.enough.most) };
  return { target, targetAt, enough };
}

/** The rule of the Service Gateway. Its queue lengths count jobs in hand too. */
function byQueue(
  { waiting, running, idle }: Load,
  { rules, booting }: { readonly rules: ScalingRules; readonly booting: number },
): number {
  const depth = waiting + running;
  if (depth === 0) return idle === 0 ? 0 : -idle;
  return depth > rules.backorderThreshold ? Math.max(0, Math.floor(depth * rules.spawnRatio) - booting) : 0;
}

function requiredFor(
  { waiting, running, arrivals, serviceSeconds }: Load,
  {
    rules,
    formula,
    expected,
  }: { readonly rules: ScalingRules; readonly formula: number; readonly expected: number },
): number {
  // Nobody knows how long a job takes: as the Service Gateway would, and without any worker, one to find out.
  if (serviceSeconds === undefined) {
    const some = waiting + running > 0 ? 1 : 0;
    return Math.max(some, expected + formula);
  }
  const steady = (arrivals * serviceSeconds) / rules.utilisation;
  const behind = (waiting * serviceSeconds) / rules.drainSeconds;
  return Math.ceil((steady + behind) / rules.concurrency - 1e-9);
}

function clamp(workers: number, { minWorkers, maxWorkers }: ScalingRules): number {
  return Math.max(minWorkers, Math.min(maxWorkers, workers));
}

/** How many workers each service may have of those that there may be: the same each, the first ones get the rest. */
export function shares(most: number, services: readonly string[]): ReadonlyMap<string, number> {
  const each = Math.floor(most / services.length);
  const rest = most % services.length;
  return new Map(services.map((name, index) => [name, each + (index < rest ? 1 : 0)]));
}
