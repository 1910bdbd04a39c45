import type { Logger } from "pino";
import type { AuditTrail } from "../access/audit/audit-trail.ts";
import type { Access } from "../access/open-access.ts";
import type { FaceName } from "../config/face-settings.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { RemoteJobs } from "../jobs/remote-jobs.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { TenantMedia } from "../media/tenant-media.ts";
import type { EventFeed } from "../observe/event-feed.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { DirectCommit } from "../pipelines/direct-commit.ts";
import type { DirectRunner } from "../pipelines/direct-run.ts";
import type { PipelineStore } from "../pipelines/pipeline-store.ts";
import type { JqSandbox } from "../processors/jq/sandbox.ts";
import type { ProcessorRegistry } from "../processors/registry.ts";
import type { ServerRegistry } from "../servers/server-registry.ts";
import type { UsageLedger } from "../usage/usage-ledger.ts";
import type { VconStore } from "../vcons/vcon-store.ts";
import type { JobValues } from "../work/job-values.ts";
import type { JobWaiters } from "../work/job-waiters.ts";
import type { RemoteWorkers } from "../work/remote-workers.ts";
import type { Face } from "./face.ts";

/** What the routes work with. */
export interface HttpContext {
  readonly config: Config;
  readonly log: Logger;
  readonly access: Access;
  readonly vcons: VconStore;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly remoteWorkers: RemoteWorkers;
  readonly values: JobValues;
  /** Remote workers that wait for jobs here. */
  readonly jobWaiters: JobWaiters;
  /** The APIs of other systems. */
  readonly loadFace: (name: FaceName) => Promise<Face>;
  readonly ledger: Ledger;
  readonly pipelines: PipelineStore;
  readonly servers: ServerRegistry;
  readonly processors: ProcessorRegistry;
  readonly runner: DirectRunner;
  readonly commit: DirectCommit;
  readonly usage: UsageLedger;
  readonly audit: AuditTrail;
  readonly media: TenantMedia;
  readonly jq: JqSandbox;
  readonly events: EventFeed;
  readonly metrics: Metrics;
  /** Of queues and jobs; it keeps the answers of requests with an Idempotency-Key as well. */
  readonly queueDatabase: Database;
  /** This server's key and address (host:port) in the registry. */
  readonly serverKey: string;
  readonly address: string;
  /** Whether the server is ready for work, and if not, why. */
  readonly readiness: () => Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
  readonly version: { readonly vconductor: string; readonly node: string; readonly vcon: string };
}
