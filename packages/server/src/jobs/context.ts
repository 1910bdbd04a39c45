import type { Database } from "../database/database.ts";
import type { Notifier } from "../database/notifier.ts";
import type { EventSink } from "../events.ts";

/** What the parts of the PostgreSQL job queue share. */
export interface JobContext {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly events: EventSink;
  /** Pipelines are in the same database, so that a claim can look at them. */
  readonly pipelinesHere: boolean;
}
