import type { AuditTrail } from "./access/audit/audit-trail.ts";
import { postgresAudit } from "./access/audit/postgres-audit.ts";
import { Database } from "./database/database.ts";
import { Notifier } from "./database/notifier.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import { postgresJobQueue } from "./jobs/postgres-job-queue.ts";
import { postgresRemoteJobs } from "./jobs/postgres-remote-jobs.ts";
import type { RemoteJobs } from "./jobs/remote-jobs.ts";
import { EventFeed } from "./observe/event-feed.ts";
import { AtomicCommitter } from "./pipelines/atomic-committer.ts";
import type { Committer } from "./pipelines/committer.ts";
import { OrderedCommitter } from "./pipelines/ordered-committer.ts";
import type { PipelineStore } from "./pipelines/pipeline-store.ts";
import { PostgresPipelineStore } from "./pipelines/postgres-pipeline-store.ts";
import { postgresServerRegistry } from "./servers/postgres-server-registry.ts";
import type { ServerRegistry } from "./servers/server-registry.ts";
import type { Service } from "./service.ts";
import { postgresUsageLedger } from "./usage/postgres-usage-ledger.ts";
import type { UsageLedger } from "./usage/usage-ledger.ts";
import { PostgresVconStore } from "./vcons/postgres-vcon-store.ts";
import { TextIndex } from "./vcons/text-index.ts";
import type { VconStore } from "./vcons/vcon-store.ts";
import { postgresRemoteWorkers } from "./work/postgres-remote-workers.ts";
import type { RemoteWorkers } from "./work/remote-workers.ts";

/** Addresses of the four stores; equal ones are one database. */
export interface StoreUrls {
  readonly vcons: string;
  readonly queues: string;
  readonly pipelines: string;
  readonly state: string;
}

/** Everything that lies in the databases, opened for one process. */
export interface Stores extends Service {
  readonly databases: readonly Database[];
  /** The database of vCons. */
  readonly storeDatabase: Database;
  /** The database of queues, jobs and runs, which also carries the notifications. */
  readonly queueDatabase: Database;
  /** The database of servers and of API tokens. */
  readonly stateDatabase: Database;
  readonly vcons: VconStore;
  readonly textIndex: TextIndex;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly remoteWorkers: RemoteWorkers;
  readonly pipelines: PipelineStore;
  readonly servers: ServerRegistry;
  readonly committer: Committer;
  readonly usage: UsageLedger;
  readonly audit: AuditTrail;
  readonly notifier: Notifier;
  readonly events: EventFeed;
  /** Whether a claim can see the pipelines. */
  readonly pipelinesHere: boolean;
}

/** @param options.leaseMs how long a lease lasts, in milliseconds */
export function openStores(options: {
  readonly urls: StoreUrls;
  readonly poolSize: number;
  readonly leaseMs: number;
  readonly application: string;
}): Stores {
  const { urls, poolSize, application, leaseMs } = options;
  const opened = new Map<string, Database>();
  const open = (url: string) => {
    const database = opened.get(url) ?? new Database({ url, poolSize, application });
    opened.set(url, database);
    return database;
  };
  const store = open(urls.vcons);
  const queue = open(urls.queues);
  const state = open(urls.state);
  const notifier = new Notifier({ url: urls.queues });
  const events = new EventFeed({ url: urls.queues, notifier });
  const pipelinesHere = urls.pipelines === urls.queues;
  const textIndex = new TextIndex({ database: store });
  const vcons = new PostgresVconStore({ database: store, events, textIndex });
  const audit = postgresAudit(store);
  const jobContext = { database: queue, notifier, events, pipelinesHere };
  const jobs = postgresJobQueue(jobContext);
  const pipelines = new PostgresPipelineStore({ database: open(urls.pipelines), notifier });
  const servers = postgresServerRegistry({ database: state, notifier, deadAfterMs: leaseMs });
  return {
    databases: [...opened.values()],
    storeDatabase: store,
    queueDatabase: queue,
    stateDatabase: state,
    vcons,
    textIndex,
    jobs,
    remoteJobs: postgresRemoteJobs(jobContext, jobs),
    remoteWorkers: postgresRemoteWorkers(queue),
    pipelines,
    servers,
    committer:
      store === queue
        ? new AtomicCommitter({ database: store, jobs, vcons, audit })
        : new OrderedCommitter({ store, queue, jobs, vcons, audit, leaseMs }),
    audit,
    usage: postgresUsageLedger(queue),
    notifier,
    events,
    pipelinesHere,
    async start() {
      await events.start();
    },
    async stop() {
      await events.stop();
      await textIndex.stop();
      await notifier.stop();
      for (const database of opened.values()) await database.stop();
    },
  };
}
