import type { JobContext } from "./context.ts";
import type { JobQueue } from "./job-queue.ts";
import { claimMethods } from "./postgres-claim.ts";
import { endingMethods } from "./postgres-endings.ts";
import { enqueueMethods } from "./postgres-enqueue.ts";
import { historyMethods } from "./postgres-history.ts";
import { queueMethods } from "./postgres-queues.ts";
import { recoveryMethods } from "./postgres-recovery.ts";
import { suspensionMethods } from "./postgres-suspension.ts";

/** The job queue on PostgreSQL: every method is one statement or one transaction on its tables. */
export function postgresJobQueue(context: JobContext): JobQueue {
  return {
    ...queueMethods(context),
    ...enqueueMethods(context),
    ...claimMethods(context),
    ...endingMethods(context),
    ...recoveryMethods(context),
    ...historyMethods(context),
    ...suspensionMethods(context),
  };
}
