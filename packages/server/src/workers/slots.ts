export interface SlotRun {
  readonly slot: number;
  readonly runId: number;
  /** In milliseconds since 1970; 0 or less for none. */
  readonly deadline: number;
  readonly begun: boolean;
}

/** The deadline of a run that has its slot but waits for its turn. */
const notBegun = -1;

/**
 * The runs that a pipeline worker has under way, in memory that its main thread and its heartbeat thread share:
 * so the heartbeat goes on, and a deadline is enforced, while a processor keeps the main thread busy.
 */
export class Slots {
  readonly buffer: SharedArrayBuffer;
  readonly #runs: BigInt64Array;
  readonly #deadlines: BigInt64Array;

  /** @param source how many slots to make, or the memory of existing ones */
  constructor(source: number | SharedArrayBuffer) {
    this.buffer = typeof source === "number" ? new SharedArrayBuffer(source * 16) : source;
    const count = this.buffer.byteLength / 16;
    this.#runs = new BigInt64Array(this.buffer, 0, count);
    this.#deadlines = new BigInt64Array(this.buffer, count * 8, count);
  }

  /** Takes a free slot for a run, which begins with its first `setDeadline`. Answers with the slot. */
  take(runId: number): number {
    const slot = this.#runs.indexOf(0n);
    if (slot < 0) throw new Error("no slot is free: more runs were started than the worker has slots");
    Atomics.store(this.#deadlines, slot, BigInt(notBegun));
    Atomics.store(this.#runs, slot, BigInt(runId));
    return slot;
  }

  free(slot: number): void {
    Atomics.store(this.#runs, slot, 0n);
    Atomics.store(this.#deadlines, slot, 0n);
  }

  /** @param deadline when the run must have moved on, in milliseconds since 1970; 0 for no limit */
  setDeadline(slot: number, deadline: number): void {
    Atomics.store(this.#deadlines, slot, BigInt(Math.round(deadline)));
  }

  /** The runs under way. */
  runs(): readonly SlotRun[] {
    const found: SlotRun[] = [];
    for (let slot = 0; slot < this.#runs.length; slot++) {
      const runId = Number(Atomics.load(this.#runs, slot));
      const deadline = Number(Atomics.load(this.#deadlines, slot));
      if (runId !== 0) found.push({ slot, runId, deadline, begun: deadline !== notBegun });
    }
    return found;
  }
}
