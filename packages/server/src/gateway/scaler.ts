import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "pino";
import type { GatewayConfig } from "../config/gateway-config.ts";
import type { ProcessorContext } from "../processors/define.ts";
import type { Service } from "../service.ts";
import type { Scaling, ServiceNeeds } from "./scaling.ts";

const run = promisify(execFile);
const timeoutMs = 60_000;

export interface ScalerOptions {
  readonly scaling: Scaling;
  readonly config: Pick<GatewayConfig, "SCALE_COMMAND" | "SCALE_WEBHOOK">;
  readonly fetch: ProcessorContext["fetch"];
  readonly log: Pick<Logger, "info" | "warn">;
}

/**
 * Has workers added or released: looks every now and then, and for each service that needs more or fewer runs a command,
 * or calls a webhook. What is wanted is said once; if nobody comes, it is said again.
 */
export class Scaler implements Service {
  readonly #options: ScalerOptions;
  readonly #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: ScalerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#again(1000);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  #again(ms: number): void {
    if (this.#stop.signal.aborted) return;
    const { scaling, log } = this.#options;
    this.#timer = setTimeout(() => {
      this.#working = this.#look()
        .catch((error: unknown) =>
          log.warn({ err: error }, "the needs of the gateway's services could not be assessed"),
        )
        .finally(() => this.#again(scaling.everySeconds * 1000));
    }, ms);
  }

  async #look(): Promise<void> {
    const found = await this.#options.scaling.assessDue();
    await Promise.all(found.filter(({ need }) => need !== 0).map((needs) => this.#tell(needs)));
  }

  async #tell(needs: ServiceNeeds): Promise<void> {
    const { config, fetch, log } = this.#options;
    const { service, queue, need, desired } = needs;
    log.info({ service, need, desired }, "a service needs another number of workers");
    const failed = (error: unknown) =>
      log.warn({ err: error, service, need }, "workers could not be asked for");
    const [program, ...args] = config.SCALE_COMMAND ?? [];
    if (program !== undefined) {
      const env = {
        ...process.env,
        SERVICE: service,
        QUEUE: queue,
        NEED: String(need),
        DESIRED: String(desired),
      };
      await run(program, args, { env, timeout: timeoutMs, signal: this.#stop.signal }).catch(failed);
    }
    if (config.SCALE_WEBHOOK === undefined) return;
    await fetch(config.SCALE_WEBHOOK, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(needs),
      signal: this.#stop.signal,
      timeoutMs,
    })
      .then(({ status }) => {
        if (status >= 300) throw new Error(`the webhook answered with ${status}`);
      })
      .catch(failed);
  }
}
