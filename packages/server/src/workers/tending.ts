import type { Turn } from "../jobs/job-queue.ts";
import type { TendedQueue } from "../servers/server-registry.ts";

/**
 * The order in which a worker tends its queues: `a:1, b:4, c:2` is a b b b b c c, over and over. The cursor says
 * how far along it is; it stays where it is when the queues change.
 */
export class Tending {
  #queues: readonly TendedQueue[] = [];
  #length = 0;
  #cursor = 0;

  set(queues: readonly TendedQueue[]): void {
    this.#queues = queues.filter((entry) => entry.weight > 0);
    this.#length = this.#queues.reduce((sum, entry) => sum + entry.weight, 0);
  }

  has(queue: string): boolean {
    return this.#queues.some((entry) => entry.queue === queue);
  }

  /** One whole cycle from the cursor on. */
  cycle(): readonly Turn[] {
    if (this.#length === 0) return [];
    let skip = this.#cursor % this.#length;
    const ahead: Turn[] = [];
    const behind: Turn[] = [];
    for (const { queue, weight } of this.#queues) {
      const passed = Math.min(skip, weight);
      skip -= passed;
      if (passed > 0) behind.push({ queue, count: passed });
      if (passed < weight) ahead.push({ queue, count: weight - passed });
    }
    return [...ahead, ...behind];
  }

  /** Moves the cursor past the last job of a claim: the `count`th of turn `turn` of the cycle given. */
  advance(cycle: readonly Turn[], last: { readonly turn: number; readonly count: number }): void {
    const before = cycle.slice(0, last.turn).reduce((sum, turn) => sum + turn.count, 0);
    this.#cursor = (this.#cursor + before + last.count) % Math.max(1, this.#length);
  }
}
