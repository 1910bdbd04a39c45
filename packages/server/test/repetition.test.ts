import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Repetition } from "../src/repetition.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("does its work again when the work says so, and otherwise as often as it is told to", async () => {
  const begun = Date.now();
  const times: number[] = [];
  const repetition = new Repetition({
    work: async () => {
      times.push(Date.now() - begun);
      return times.length === 1 ? 10 : 100;
    },
    failed: () => {},
    everyMs: 100,
    firstMs: 0,
  });
  await repetition.start();
  await vi.advanceTimersByTimeAsync(250);
  await repetition.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(times).toEqual([0, 10, 110, 210]);
});

it("goes on after a failure, and says why", async () => {
  const failures: unknown[] = [];
  let calls = 0;
  const repetition = new Repetition({
    work: async () => {
      calls += 1;
      if (calls === 1) throw new Error("the database is away");
    },
    failed: (error) => failures.push(error),
    everyMs: 100,
  });
  await repetition.start();
  await vi.advanceTimersByTimeAsync(250);
  await repetition.stop();
  expect(calls).toBe(2);
  expect(failures).toEqual([new Error("the database is away")]);
});

it("when stopped tells its work, waits for it, and does not begin again until it is started", async () => {
  let calls = 0;
  let ended = 0;
  const repetition = new Repetition({
    work: async (signal) => {
      calls += 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      ended += 1;
    },
    failed: () => {},
    everyMs: 100,
  });
  await repetition.stop();
  await repetition.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect([calls, ended]).toEqual([1, 0]);
  await repetition.stop();
  await repetition.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect([calls, ended]).toEqual([1, 1]);
  await repetition.start();
  await vi.advanceTimersByTimeAsync(100);
  await repetition.stop();
  expect([calls, ended]).toEqual([2, 2]);
});
