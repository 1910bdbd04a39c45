import { describe, expect, it } from "vitest";
import type { Usage } from "../../src/processors/define.ts";
import { type Budget, PaidCalls, type PaidCallsOptions } from "../../src/usage/paid-calls.ts";
import { costOf } from "../../src/usage/prices.ts";
import type { UsageEntry, UsageLedger, UsageSum } from "../../src/usage/usage-ledger.ts";
import { rejected } from "../processors/thrown.ts";

const none: UsageSum = { calls: 0, inputTokens: 0, outputTokens: 0, audioSeconds: 0, cost: 0, unpriced: 0 };

/** The part of a ledger that calls need, in memory. */
function memoryLedger() {
  const entries: UsageEntry[] = [];
  const kept = new Map<string, string>();
  const ledger: UsageLedger = {
    async record({ entry, keep }) {
      entries.push(entry);
      if (keep !== undefined) kept.set(`${keep.jobId} ${keep.key}`, keep.answer);
    },
    kept: async ({ jobId, key }) => kept.get(`${jobId} ${key}`),
    ofQueue: async ({ queue }) => ({
      ...none,
      cost: entries
        .filter((entry) => entry.queue === queue)
        .reduce((sum, entry) => sum + (entry.cost ?? 0), 0),
    }),
    ofRuns: async () => new Map(),
    summary: async () => [],
    purge: async () => {},
  };
  return { ledger, entries };
}

const prices = { dear: { input: 1_000_000, output: 2_000_000 } };
const usage: Usage = { provider: "acme", model: "dear", inputTokens: 1, outputTokens: 1 };
const unlimited: Budget = { run_budget: 0, run_token_limit: 0, queue_budget: 0, queue_budget_hours: 24 };

function payer(options: Partial<PaidCallsOptions> = {}) {
  const memory = memoryLedger();
  let calls = 0;
  const paid = (more: Partial<PaidCallsOptions> = {}) =>
    new PaidCalls({ ledger: memory.ledger, prices, queue: "q", ...options, ...more });
  const call = (payments: PaidCalls, request = "question", used = usage, step = "0") =>
    payments.make({
      processor: "p",
      step,
      request,
      call: async () => {
        calls += 1;
        return { answer: `answer ${calls}`, usage: used };
      },
    });
  return { ...memory, paid, call, calls: () => calls };
}

describe("paid calls", () => {
  it("are recorded with their cost, where a price is known", async () => {
    const { paid, call, entries } = payer({ runId: 5 });
    const payments = paid();
    expect(await call(payments)).toBe("answer 1");
    await call(payments, "another", { provider: "acme", model: "unheard of", audioSeconds: 60 });
    expect(entries).toEqual([
      { ...usage, queue: "q", runId: 5, processor: "p", cost: 3 },
      {
        provider: "acme",
        model: "unheard of",
        audioSeconds: 60,
        queue: "q",
        runId: 5,
        processor: "p",
        cost: undefined,
      },
    ]);
  });

  it("are made once for a job that keeps answers: the same request of the same step", async () => {
    const { paid, call, calls } = payer({ keepFor: 1 });
    expect(await call(paid())).toBe("answer 1");
    expect(await call(paid())).toBe("answer 1");
    expect(calls()).toBe(1);
    await call(paid(), "another question");
    await call(paid(), "question", usage, "1");
    await call(paid({ keepFor: 2 }));
    expect(calls()).toBe(4);
  });

  it("are made each time where answers are not kept", async () => {
    const { paid, call, calls } = payer();
    await call(paid());
    await call(paid());
    expect(calls()).toBe(2);
  });

  it.each([
    [{ run_budget: 3 }, "budget: the run has cost 3 USD; run_budget is 3 USD"],
    [{ run_token_limit: 2 }, "budget: the run has used 2 tokens; run_token_limit is 2"],
    [{ queue_budget: 3 }, "budget: pipeline q has cost 3 USD in 24 hours; queue_budget is 3 USD"],
  ])("stop at %j", async (limit, message) => {
    const { paid, call, calls } = payer({ budget: { ...unlimited, ...limit } });
    const payments = paid();
    await call(payments);
    const error = await rejected(call(payments, "another"));
    expect([error.code, error.message, calls()]).toEqual(["budget_exceeded", message, 1]);
  });

  it("have a budget for each run, and for the queue one over all of them", async () => {
    const { paid, call } = payer({ budget: { ...unlimited, run_budget: 3, queue_budget: 5 } });
    await call(paid());
    await call(paid());
    expect((await rejected(call(paid()))).message).toContain("queue_budget");
  });

  it("that a retry need not make again are within every budget", async () => {
    const { paid, call } = payer({ keepFor: 1, budget: { ...unlimited, queue_budget: 1 } });
    await call(paid());
    expect(await call(paid())).toBe("answer 1");
  });

  it("whose price is not known stop a run that has a budget", async () => {
    const { paid, call } = payer({ budget: { ...unlimited, run_budget: 10 } });
    const payments = paid();
    await call(payments, "first", { ...usage, model: "unheard of" });
    expect((await rejected(call(payments, "second"))).message).toBe(
      "budget: the price of acme/unheard of is not known, so a budget cannot be kept; set MODEL_PRICES",
    );
  });
});

describe("costs", () => {
  const used = { inputTokens: 1_000_000, outputTokens: 1_000_000, audioSeconds: 120 };
  it.each([
    ["openai", "gpt-4o", 12.5],
    ["azure", "gpt-4o-2024-08-06", 12.5],
    ["anthropic", "claude-haiku-4-5-20251001", 6],
    ["openai", "whisper-1", 0.012],
    ["compatible", "llama", undefined],
  ])("%s/%s", (provider, model, cost) => {
    expect(costOf({ provider, model, ...used })).toBe(cost);
  });
  it("are the operator's before the list's, and a provider's own before a model's", () => {
    const own = { "gpt-4o": { input: 1 }, "azure/gpt-4o": { input: 2 } };
    expect(costOf({ provider: "openai", model: "gpt-4o", ...used }, own)).toBe(1);
    expect(costOf({ provider: "azure", model: "gpt-4o", ...used }, own)).toBe(2);
  });
});
