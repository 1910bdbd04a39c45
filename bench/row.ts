import type { Cpu } from "./cpu.ts";
import type { DocumentMaker } from "./document.ts";
import type { Plan } from "./plan.ts";
import type { RawSpeed } from "./raw.ts";
import type { BenchServer } from "./server.ts";

/** What a row measures with. */
export interface Bench {
  readonly server: BenchServer;
  readonly plan: Plan;
  readonly documents: DocumentMaker;
  /** At least `count` vCons that are in the store. */
  readonly stored: (count: number) => Promise<readonly string[]>;
  /** Does the work, and tells which processes spent how much processor time meanwhile. */
  readonly withCpu: (work: () => Promise<void>) => Promise<Cpu>;
  /** Rows of a statement on the server's database. */
  readonly sql: (text: string) => Promise<unknown>;
  readonly signal: AbortSignal;
}

export interface Measured {
  readonly result: number;
  /** The result of each round; the row's result is their median. */
  readonly rounds: readonly number[];
  /** What else was seen, by name. */
  readonly details: Readonly<Record<string, number>>;
  /** What the same data costs without the work, where that is no speed of the database. */
  readonly beside?: { readonly what: string; readonly ms: number };
  /** Who spent the processor's time, where that was looked at. */
  readonly cpu?: Cpu;
}

/** A line of the table. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: "/s" | "%" | "ms" | "MB";
  /** The least (for ms and MB: the most) that will do: DESIGN section 11. */
  readonly floor: number;
  /** What is hoped for: a figure of the same unit, or a share of the raw speed. */
  readonly aim?: { readonly result: number } | { readonly ratio: number };
  /** The raw speed that belongs beside it. */
  readonly raw?: keyof RawSpeed;
  measure(bench: Bench): Promise<Measured>;
}
