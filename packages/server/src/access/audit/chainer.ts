import type { Logger } from "pino";
import { Repetition } from "../../repetition.ts";
import type { Service } from "../../service.ts";
import type { AuditTrail } from "./audit-trail.ts";

/** Chains what was recorded, every second. */
export function chainer(options: {
  readonly audit: Pick<AuditTrail, "chain">;
  readonly log: Logger;
}): Service {
  const { audit, log } = options;
  const everyMs = 1000;
  return new Repetition({
    // More than it did at once: on it goes.
    work: async () => ((await audit.chain()) > 0 ? 0 : everyMs),
    failed: (error) => log.warn({ err: error }, "the audit trail could not be chained; trying again"),
    everyMs,
  });
}
