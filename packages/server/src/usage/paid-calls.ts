import { createHash } from "node:crypto";
import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import type { PaidAnswer } from "../processors/define.ts";
import { costOf, type Prices } from "./prices.ts";
import type { UsageLedger } from "./usage-ledger.ts";

/** The parts of a pipeline's options that limit what it may spend; 0 is no limit. */
export interface Budget {
  /** US dollars for one run. */
  readonly run_budget: number;
  /** Tokens, read and written, for one run. */
  readonly run_token_limit: number;
  /** US dollars for all runs of the pipeline within `queue_budget_hours`. */
  readonly queue_budget: number;
  readonly queue_budget_hours: number;
}

export interface PaidCallsOptions {
  readonly ledger: UsageLedger;
  readonly prices: Prices;
  /** The pipeline, if there is one. */
  readonly queue?: string | undefined;
  readonly runId?: number | undefined;
  /** The job whose retries shall get the answers that were paid for; undefined: they are not kept. */
  readonly keepFor?: number | undefined;
  readonly budget?: Budget | undefined;
}

export interface PaidCall<Answer extends JsonValue> {
  readonly processor: string;
  /** The place of the step in its pipeline, for example "2" or "2.0": the same request in another step is another. */
  readonly step: string;
  readonly request: JsonValue;
  readonly call: () => Promise<PaidAnswer<Answer>>;
}

/**
 * The paid calls of one run: within budget, on record, and once. Calls that are under way at the same time may go
 * over a budget by what they cost themselves: that is known only when the provider has answered.
 */
export class PaidCalls {
  readonly #options: PaidCallsOptions;
  #tokens = 0;
  #cost = 0;
  #unpriced: string | undefined;

  constructor(options: PaidCallsOptions) {
    this.#options = options;
  }

  /** @throws budget_exceeded */
  async make<Answer extends JsonValue>(paid: PaidCall<Answer>): Promise<Answer> {
    const { ledger, keepFor, prices, queue, runId } = this.#options;
    const key = keyOf(paid);
    const kept = keepFor === undefined ? undefined : await ledger.kept({ jobId: keepFor, key });
    if (kept !== undefined) return JSON.parse(kept);
    await this.#check();
    const { answer, usage } = await paid.call();
    const cost = costOf(usage, prices);
    this.#tokens += (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
    this.#cost += cost ?? 0;
    if (cost === undefined) this.#unpriced = `${usage.provider}/${usage.model}`;
    await ledger.record({
      entry: { ...usage, cost, queue, runId, processor: paid.processor },
      keep: keepFor === undefined ? undefined : { jobId: keepFor, key, answer: JSON.stringify(answer) },
    });
    return answer;
  }

  async #check(): Promise<void> {
    const { budget, ledger, queue } = this.#options;
    if (budget === undefined) return;
    const { run_budget, run_token_limit, queue_budget, queue_budget_hours } = budget;
    if (run_token_limit > 0 && this.#tokens >= run_token_limit) {
      throw exceeded(`the run has used ${this.#tokens} tokens; run_token_limit is ${run_token_limit}`);
    }
    if ((run_budget > 0 || queue_budget > 0) && this.#unpriced !== undefined) {
      throw exceeded(
        `the price of ${this.#unpriced} is not known, so a budget cannot be kept; set MODEL_PRICES`,
      );
    }
    if (run_budget > 0 && this.#cost >= run_budget) {
      throw exceeded(`the run has cost ${dollars(this.#cost)}; run_budget is ${dollars(run_budget)}`);
    }
    if (queue_budget <= 0 || queue === undefined) return;
    const since = new Date(Date.now() - queue_budget_hours * 3_600_000);
    const spent = await ledger.ofQueue({ queue, since });
    if (spent.cost >= queue_budget) {
      throw exceeded(
        `pipeline ${queue} has cost ${dollars(spent.cost)} in ${queue_budget_hours} hours; ` +
          `queue_budget is ${dollars(queue_budget)}`,
      );
    }
  }
}

function keyOf({ step, processor, request }: PaidCall<JsonValue>): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([processor, request]))
    .digest("base64url");
  return `${step}:${hash}`;
}

function exceeded(why: string): VconductorError {
  return new VconductorError("budget_exceeded", `budget: ${why}`);
}

function dollars(amount: number): string {
  return `${Number(amount.toPrecision(4))} USD`;
}
