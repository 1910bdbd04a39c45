import type { Logger } from "pino";
import type { GatewayConfig } from "../config/gateway-config.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";
import { runCommand } from "./scale-command.ts";
import type { Assessment, Scaling, ServiceNeeds } from "./scaling.ts";

export interface ScalerOptions {
  readonly scaling: Scaling;
  readonly config: Pick<GatewayConfig, "SCALE_COMMAND" | "SCALE_COMMAND_ENV" | "SCALE_WEBHOOK">;
  readonly log: Pick<Logger, "info" | "warn">;
  /** A command and a webhook have so long. Default: 60 000 */
  readonly timeoutMs?: number;
}

/**
 * Has workers added or released: looks every now and then, and for each service that needs more or fewer runs a command,
 * or calls a webhook. What is wanted is said once; if it could not be said, or if nobody comes, it is said again. A service
 * that is slow to be told holds up no other, and is not told twice at the same time.
 */
export function scaler(options: ScalerOptions): Service {
  const { scaling, log } = options;
  const telling = new Map<string, Promise<void>>();
  const repetition = new Repetition({
    work: async (signal) => {
      for (const found of await scaling.assessDue()) {
        const { service, need } = found.needs;
        if (need === 0) continue;
        if (telling.has(service)) await found.takeBack();
        else
          telling.set(
            service,
            tell(found, options, signal).finally(() => telling.delete(service)),
          );
      }
    },
    failed: (error) => log.warn({ err: error }, "the needs of the gateway's services could not be assessed"),
    everyMs: scaling.everySeconds * 1000,
    firstMs: 1000,
  });
  return {
    start: () => repetition.start(),
    stop: async () => {
      await repetition.stop();
      await Promise.all(telling.values());
    },
  };
}

async function tell(
  { needs, takeBack }: Assessment,
  { config, log, timeoutMs = 60_000 }: ScalerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { service, queue, need, desired } = needs;
  log.info({ service, need, desired }, "a service needs another number of workers");
  const { SCALE_COMMAND: command, SCALE_COMMAND_ENV: pass = [], SCALE_WEBHOOK: webhook } = config;
  const env = { SERVICE: service, QUEUE: queue, NEED: String(need), DESIRED: String(desired) };
  const ways = [
    ...(command === undefined ? [] : [() => runCommand(command, { env, pass, signal, timeoutMs })]),
    ...(webhook === undefined ? [] : [() => post(webhook, needs, { signal, timeoutMs })]),
  ];
  let isTold = ways.length === 0;
  for (const way of ways) {
    try {
      await way();
      isTold = true;
    } catch (error) {
      log.warn({ err: error, service, need }, "workers could not be asked for");
    }
  }
  if (isTold) return;
  await takeBack().catch((error: unknown) =>
    log.warn({ err: error, service }, "that workers could not be asked for could not be noted"),
  );
}

/** The address is the operator's: it may be anywhere, unlike those of callers. */
async function post(
  url: string,
  needs: ServiceNeeds,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(needs),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`the webhook answered with ${answer.status}`);
}
