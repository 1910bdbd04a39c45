import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "pino";
import type { GatewayConfig } from "../config/gateway-config.ts";
import type { ProcessorContext } from "../processors/define.ts";
import { Repetition } from "../repetition.ts";
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
export function scaler(options: ScalerOptions): Service {
  const { scaling, log } = options;
  return new Repetition({
    work: async (signal) => {
      const found = await scaling.assessDue();
      await Promise.all(found.filter(({ need }) => need !== 0).map((needs) => tell(needs, options, signal)));
    },
    failed: (error) => log.warn({ err: error }, "the needs of the gateway's services could not be assessed"),
    everyMs: scaling.everySeconds * 1000,
    firstMs: 1000,
  });
}

async function tell(
  needs: ServiceNeeds,
  { config, fetch, log }: ScalerOptions,
  signal: AbortSignal,
): Promise<void> {
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
    await run(program, args, { env, timeout: timeoutMs, signal }).catch(failed);
  }
  if (config.SCALE_WEBHOOK === undefined) return;
  await fetch(config.SCALE_WEBHOOK, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(needs),
    signal,
    timeoutMs,
  })
    .then(({ status }) => {
      if (status >= 300) throw new Error(`the webhook answered with ${status}`);
    })
    .catch(failed);
}
