import type { UsageLedger } from "../../src/usage/usage-ledger.ts";

/** A ledger that keeps nothing, for runs that pay for nothing. */
export const noLedger: UsageLedger = {
  record: async () => {},
  kept: async () => undefined,
  ofQueue: () => Promise.reject(new Error("nobody asks")),
  ofRuns: async () => new Map(),
  summary: async () => [],
  purge: async () => {},
};
