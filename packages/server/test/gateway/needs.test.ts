import { describe, expect, it } from "vitest";
import {
  assess,
  initialState,
  type Load,
  type ScalingRules,
  type ScalingState,
  shares,
  takenBack,
} from "../../src/gateway/needs.ts";

const rules: ScalingRules = {
  backorderThreshold: 3,
  spawnRatio: 0.5,
  minWorkers: 1,
  maxWorkers: 50,
  concurrency: 1,
  bootSeconds: 300,
  utilisation: 0.8,
  drainSeconds: 300,
  downSeconds: 600,
};

const load = (more: Partial<Load>): Load => ({
  waiting: 0,
  running: 0,
  workers: 2,
  idle: 2,
  arrivals: 0,
  serviceSeconds: undefined,
  ...more,
});
const now = 1_000_000_000_000;
const at = (of: Load, more: { rules?: Partial<ScalingRules>; state?: ScalingState; now?: number } = {}) =>
  assess(of, { rules: { ...rules, ...more.rules }, state: more.state ?? initialState, now: more.now ?? now });

describe("the rule of the Service Gateway", () => {
  // Figures that were observed there, with threshold 3, ratio 0.5 and two idle workers.
  it.each([
    [0, -2],
    [1, 0],
    [3, 0],
    [4, 2],
    [5, 2],
    [10, 5],
    [40, 20],
  ])("a queue of %i: %i", (waiting, need) => {
    expect(at(load({ waiting })).formula).toBe(need);
  });

  it("counts jobs in hand too, and those that are on their way", () => {
    expect(at(load({ waiting: 2, running: 2, idle: 0 })).formula).toBe(2);
    const state = { target: 4, targetAt: now - 60_000, enough: undefined };
    expect(at(load({ waiting: 10 }), { state })).toMatchObject({ formula: 3, booting: 2 });
    expect(at(load({ waiting: 10 }), { state, now: now + 300_000 })).toMatchObject({
      formula: 5,
      booting: 0,
    });
  });

  it("shares what there may be among the services", () => {
    expect([...shares(10, ["a", "b", "c", "d"]).values()]).toEqual([3, 3, 2, 2]);
  });
});

describe("needs", () => {
  it("follow what comes in, and how long it takes", () => {
    // 0.2 a second, 20 seconds each: four at work, five at 80 %.
    const busy = { arrivals: 0.2, serviceSeconds: 20 };
    expect(at(load(busy))).toMatchObject({ required: 5, need: 3, desired: 5 });
    // 30 that wait are 600 seconds of work: two more to be done in 300.
    expect(at(load({ ...busy, waiting: 30 }))).toMatchObject({ required: 7, need: 5 });
    expect(at(load(busy), { rules: { concurrency: 4 } })).toMatchObject({ required: 2, need: 0 });
    expect(at(load({ ...busy, arrivals: 100 }))).toMatchObject({ required: 50, need: 48 });
    expect(at(load({ serviceSeconds: 20, workers: 0, idle: 0 }))).toMatchObject({ required: 1, need: 1 });
  });

  it("ask for one worker to find out how long a job takes, and then by the length of the queue", () => {
    const none = { workers: 0, idle: 0 };
    expect(at(load({ ...none, waiting: 1 }), { rules: { minWorkers: 0 } })).toMatchObject({ need: 1 });
    expect(at(load({ ...none }), { rules: { minWorkers: 0 } })).toMatchObject({ need: 0 });
    expect(at(load({ ...none, waiting: 10 }), { rules: { minWorkers: 0 } })).toMatchObject({ need: 5 });
  });

  it("are asked for once, and again when nobody came", () => {
    const busy = load({ arrivals: 0.2, serviceSeconds: 20 });
    const first = at(busy);
    expect(at(busy, { state: first.state, now: now + 60_000 })).toMatchObject({
      need: 0,
      booting: 3,
      desired: 5,
    });
    expect(at(busy, { state: first.state, now: now + 300_000 })).toMatchObject({ need: 3 });
  });

  it("fall only when fewer have been enough for a while, to the most that was needed in it, and to none that works", () => {
    const quiet = (arrivals: number, idle = 8) => load({ workers: 10, idle, arrivals, serviceSeconds: 20 });
    let step = at(quiet(0.1));
    expect(step).toMatchObject({ required: 3, need: 0 });
    step = at(quiet(0.2), { state: step.state, now: now + 300_000 });
    expect(step).toMatchObject({ required: 5, need: 0 });
    const later = { state: step.state, now: now + 600_000 };
    expect(at(quiet(0.1), later)).toMatchObject({ required: 3, need: -5, desired: 5 });
    expect(at(quiet(0.1, 2), later)).toMatchObject({ need: -2 });
    expect(at(quiet(0.4), later)).toMatchObject({ need: 0, state: { enough: undefined } });
  });
});

describe("needs of which nobody could be told", () => {
  it("are found again: more workers, beside those that are on their way", () => {
    const busy = load({ arrivals: 0.2, serviceSeconds: 20 });
    const before = { target: 4, targetAt: now - 60_000, enough: undefined };
    const told = at(busy, { state: before });
    expect(told).toMatchObject({ need: 1, booting: 2 });
    // Another look comes before that is known.
    const meanwhile = at(busy, { state: told.state, now: now + 30_000 });
    expect(meanwhile.need).toBe(0);
    const state = takenBack(meanwhile.state, before);
    expect(at(busy, { state, now: now + 60_000 })).toMatchObject({ need: 1, booting: 2 });
  });

  it("are found again: fewer workers, but not fewer than were needed since", () => {
    const quiet = (arrivals: number) => load({ workers: 10, idle: 10, arrivals, serviceSeconds: 20 });
    const before = at(quiet(0.1)).state;
    const told = at(quiet(0.1), { state: before, now: now + 600_000 });
    expect(told).toMatchObject({ need: -7 });
    const meanwhile = at(quiet(0.2), { state: told.state, now: now + 630_000 });
    expect(meanwhile).toMatchObject({ need: 0 });
    const state = takenBack(meanwhile.state, before);
    expect(at(quiet(0.1), { state, now: now + 660_000 })).toMatchObject({ need: -5 });
    const needed = at(quiet(0.4), { state: told.state, now: now + 630_000 });
    expect(takenBack(needed.state, before).enough).toBeUndefined();
  });
});

/** A generator of even random numbers that always gives the same. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

interface Day {
  /** How often the direction changed: from more to fewer workers or back. */
  readonly turns: number;
  readonly actions: number;
  readonly longestWait: number;
  readonly meanWait: number;
  /** Worker seconds, as a multiple of the work that there was. */
  readonly cost: number;
}

/** A day of a service, second by second: jobs come in by a curve, workers boot and go. */
function simulate(arrivalsAt: (second: number) => number, seed = 1): Day {
  const random = generator(seed);
  const own = { ...rules, bootSeconds: 180, downSeconds: 1200 };
  const bootTakes = 120;
  const windowSeconds = 600;
  const evaluateEvery = 60;
  let state = initialState;
  let booting: number[] = [];
  let workers = 1;
  let running: number[] = [];
  const queue: number[] = [];
  const arrived: number[] = [];
  const durations: { readonly at: number; readonly seconds: number }[] = [];
  const waits: number[] = [];
  let [work, paid, actions, turns, last] = [0, 0, 0, 0, 0];
  for (let second = 0; second < 86_400; second++) {
    workers += booting.filter((ready) => ready <= second).length;
    booting = booting.filter((ready) => ready > second);
    running = running.filter((end) => end > second);
    if (random() < arrivalsAt(second)) {
      queue.push(second);
      arrived.push(second);
    }
    while (running.length < workers && queue.length > 0) {
      const seconds = Math.ceil(10 - 10 * Math.log(1 - random()));
      waits.push(second - (queue.shift() ?? second));
      running.push(second + seconds);
      durations.push({ at: second + seconds, seconds });
      work += seconds;
    }
    paid += workers + booting.length;
    if (second % evaluateEvery !== 0) continue;
    const recent = durations.filter(({ at: end }) => end <= second && end > second - windowSeconds);
    const total = recent.reduce((sum, { seconds }) => sum + seconds, 0);
    const needs = assess(
      {
        waiting: queue.length,
        running: running.length,
        workers,
        idle: workers - running.length,
        arrivals: arrived.filter((when) => when > second - windowSeconds).length / windowSeconds,
        serviceSeconds: recent.length === 0 ? undefined : total / recent.length,
      },
      { rules: own, state, now: second * 1000 },
    );
    state = needs.state;
    if (needs.need === 0) continue;
    actions++;
    const direction = Math.sign(needs.need);
    if (last !== 0 && direction !== last) turns++;
    last = direction;
    if (needs.need > 0) booting.push(...Array.from({ length: needs.need }, () => second + bootTakes));
    else workers += needs.need;
  }
  return {
    turns,
    actions,
    longestWait: Math.max(...waits),
    meanWait: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    cost: paid / work,
  };
}

describe("a simulated day", () => {
  /** Quiet at night, a peak before and one after noon. */
  const workday = (second: number) => {
    const hour = second / 3600;
    const bump = (centre: number) => Math.exp(-((hour - centre) ** 2) / 4);
    return 0.01 + 0.5 * bump(10) + 0.4 * bump(15);
  };

  it.each([1, 2, 3, 4, 5])(
    "with its peaks: workers follow, without back and forth (random numbers %i)",
    (seed) => {
      const day = simulate(workday, seed);
      // Up, down, up, down: three turns.
      expect(day.turns).toBeLessThanOrEqual(3);
      expect(day.meanWait).toBeLessThan(3);
      expect(day.longestWait).toBeLessThan(300);
      expect(day.cost).toBeLessThan(2);
    },
  );

  it("of a steady load hardly changes anything once it is found", () => {
    const day = simulate(() => 0.3);
    expect(day.actions).toBeLessThanOrEqual(12);
    expect(day.turns).toBeLessThanOrEqual(3);
    expect(day.meanWait).toBeLessThan(3);
    expect(day.cost).toBeLessThan(1.8);
  });

  it("with a burst out of nothing is done with it, and then releases the workers", () => {
    const day = simulate((second) => (second > 40_000 && second < 42_000 ? 0.8 : 0.002));
    expect(day.longestWait).toBeLessThan(300);
    expect(day.turns).toBeLessThanOrEqual(1);
  });
});
