import { randomUUID } from "node:crypto";
import { type Selectable, sql } from "kysely";
import { DEFAULT_TENANT, type Principal, type Viewer, viewerOf } from "../../access/principal.ts";
import type { Database, Transaction } from "../../database/database.ts";
import type { SisyphusJobTable } from "../../database/tables.ts";
import { VconductorError } from "../../errors.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import type { RemoteJobs } from "../../jobs/remote-jobs.ts";
import { ensureQueue, unlessEnded } from "../../jobs/remote-queues.ts";

/** A job that has ended. */
export interface FinishedJob {
  readonly document: string;
  readonly state: string;
  /** As `JobValues` keeps it. */
  readonly info: unknown;
  readonly finishedAt: Date | null;
}

type LockedJob = Pick<Selectable<SisyphusJobTable>, "state" | "run_id">;

export interface SisyphusStoreOptions {
  /** Of the queues. */
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly serverKey: string;
}

/** So often a change begins anew because another one came first. */
const mostRounds = 100;
/** Every client asks for the queue every few seconds, and does not look at the jobs. */
const mostListed = 1000;

/** The jobs of a tenant are in a queue of its own. No queue of the API has a `/` in its name. */
const queueOf = ({ tenant }: Viewer) => `sisyphus/${tenant}`;

/** Jobs of the Sisyphus API, by tenant. A job here is a document with an id, and a job of the engine. */
export class SisyphusStore {
  readonly #options: SisyphusStoreOptions;

  constructor(options: SisyphusStoreOptions) {
    this.#options = options;
  }

  /** The queue is there from now on. */
  async #requireQueue(viewer: Viewer): Promise<{ readonly paused: boolean }> {
    return await ensureQueue(this.#options.jobs, { name: queueOf(viewer), kind: "sisyphus", viewer });
  }

  async isDisabled(viewer: Viewer): Promise<boolean> {
    return (await this.#requireQueue(viewer)).paused;
  }

  async setDisabled(viewer: Viewer, disabled: boolean): Promise<void> {
    await this.#requireQueue(viewer);
    await this.#options.jobs.changeQueue({ name: queueOf(viewer), paused: disabled, viewer });
  }

  /** @param posted JSON of an object with one member at least @returns the job's id */
  async add(caller: Principal, posted: string): Promise<string> {
    const { database, jobs } = this.#options;
    const viewer = viewerOf(caller);
    const id = randomUUID();
    const added = new Date().toISOString().replace("T", " ").replace("Z", "000+00:00");
    const document = `${posted.trim().slice(0, -1).trimEnd()},"job_id":"${id}","added":"${added}"}`;
    await this.#requireQueue(viewer);
    await database.transaction(async (tx) => {
      await tx
        .insertInto("vconductor.sisyphus_job")
        .values({ id, tenant: viewer.tenant, document })
        .execute();
      await jobs.enqueueIn(tx, [
        {
          queue: queueOf(viewer),
          jobType: "sisyphus",
          vconUuids: [],
          payload: id,
          uniqueKey: id,
          principal: caller,
        },
      ]);
    });
    return id;
  }

  /** The documents of the first jobs that wait, oldest first, and how many wait. */
  async waiting(
    viewer: Viewer,
  ): Promise<{ readonly documents: readonly string[]; readonly entries: number }> {
    const { database } = this.#options;
    const waits = sql`j.queue = ${queueOf(viewer)} and j.state = 'waiting'`;
    const { rows } = await database.run((db) =>
      sql<{ document: string }>`
        select s.document from vconductor.job j join vconductor.sisyphus_job s on s.id = j.payload #>> '{}'
        where ${waits} order by j.priority desc, j.position limit ${mostListed}`.execute(db),
    );
    const documents = rows.map((row) => row.document);
    if (documents.length < mostListed) return { documents, entries: documents.length };
    const counted = await database.run((db) =>
      sql<{ entries: number }>`select count(*) as entries from vconductor.job j where ${waits}`.execute(db),
    );
    return { documents, entries: counted.rows[0]?.entries ?? documents.length };
  }

  /** Takes the oldest job that waits, for a worker. @param options.isCertain whether it is that worker that gets it */
  async poll(
    viewer: Viewer,
    {
      worker,
      isCertain,
      leaseMs,
    }: { readonly worker: string; readonly isCertain: boolean; readonly leaseMs: number },
  ): Promise<{ readonly document: string; readonly runId: number } | undefined> {
    const { database, remoteJobs, serverKey } = this.#options;
    return await database.transaction(async (tx) => {
      const [job] = await remoteJobs.claimIn(tx, {
        kind: "sisyphus",
        viewer,
        queue: queueOf(viewer),
        limit: 1,
        worker,
        server: serverKey,
        leaseMs,
      });
      if (job === undefined) return undefined;
      const { document } = await tx
        .updateTable("vconductor.sisyphus_job")
        .set({ run_id: job.runId, worker: isCertain ? worker : null })
        .where("id", "=", String(job.payload))
        .returning("document")
        .executeTakeFirstOrThrow();
      return { document, runId: job.runId };
    });
  }

  /** A worker says that it has the job: that is certain. @returns the job's run; undefined: it does not run */
  async claimedBy(
    { tenant }: Viewer,
    { worker, id }: { readonly worker: string; readonly id: string },
  ): Promise<number | undefined> {
    const { rows } = await this.#options.database.run((db) =>
      sql<{ run_id: number }>`
        with job as (select id, run_id, worker from vconductor.sisyphus_job
          where id = ${id} and tenant = ${tenant} and run_id is not null),
        noted as (update vconductor.sisyphus_job s set worker = ${worker} from job
          where s.id = job.id and s.run_id = job.run_id and job.worker is distinct from ${worker})
        select run_id from job`.execute(db),
    );
    return rows[0]?.run_id;
  }

  /** The runs that are certainly this worker's. */
  async runsOf({ tenant }: Viewer, worker: string): Promise<readonly number[]> {
    const { rows } = await this.#options.database.run((db) =>
      sql<{ run_id: number }>`select run_id from vconductor.sisyphus_job
        where tenant = ${tenant} and worker = ${worker} and run_id is not null`.execute(db),
    );
    return rows.map((row) => row.run_id);
  }

  /** A job waits again, unless it was to be cancelled. Its run may have ended meanwhile. */
  async release(
    viewer: Viewer,
    { runId, reason }: { readonly runId: number; readonly reason: string },
  ): Promise<void> {
    await this.#options.remoteJobs
      .release({ runId, by: { kind: "sisyphus", viewer }, reason })
      .catch(unlessEnded);
  }

  /** The document of a job that waits or runs. */
  async find({ tenant }: Viewer, id: string): Promise<string | undefined> {
    const row = await this.#options.database.run((db) =>
      db
        .selectFrom("vconductor.sisyphus_job")
        .select("document")
        .where("id", "=", id)
        .where("tenant", "=", tenant)
        .where("state", "=", "queued")
        .executeTakeFirst(),
    );
    return row?.document;
  }

  /** Ends a job, whether it waits or runs; saying so again changes nothing. @returns whether there is such a job */
  async finish(
    viewer: Viewer,
    id: string,
    { failed, info }: { readonly failed: boolean; readonly info: unknown },
  ): Promise<boolean> {
    const { jobs, remoteJobs } = this.#options;
    return await this.#changing(viewer, id, async (tx, job) => {
      if (job.state !== "queued") return true;
      await tx
        .updateTable("vconductor.sisyphus_job")
        .set({
          state: failed ? "failed" : "completed",
          info: JSON.stringify(info),
          run_id: null,
          finished_at: new Date(),
        })
        .where("id", "=", id)
        .execute();
      const { run_id: runId } = job;
      if (runId === null) await this.#withdraw(tx, viewer, id);
      else if (!failed) await jobs.finish(tx, [{ runId, result: info, followUps: [] }]);
      else await remoteJobs.settleIn(tx, { runId, outcome: "failed", reason: reasonIn(info) });
      return true;
    });
  }

  /** Deletes a job that waits or runs. @returns whether there was one */
  async remove(viewer: Viewer, id: string): Promise<boolean> {
    const { remoteJobs } = this.#options;
    return await this.#changing(viewer, id, async (tx, job) => {
      if (job.state !== "queued") return false;
      await tx.deleteFrom("vconductor.sisyphus_job").where("id", "=", id).execute();
      const { run_id: runId } = job;
      const reason = "the job was deleted";
      if (runId === null) await this.#withdraw(tx, viewer, id);
      else await remoteJobs.settleIn(tx, { runId, outcome: "cancelled", reason });
      return true;
    });
  }

  /** Deletes all jobs that wait; those that run go on. */
  async clear(viewer: Viewer): Promise<void> {
    const { database, jobs } = this.#options;
    await this.#requireQueue(viewer);
    await jobs.clearQueue({ name: queueOf(viewer), viewer });
    await database.run((db) =>
      sql`delete from vconductor.sisyphus_job s where tenant = ${viewer.tenant} and state = 'queued'
        and not exists (select from vconductor.job j where j.queue = ${queueOf(viewer)} and j.payload = to_jsonb(s.id))`.execute(
        db,
      ),
    );
  }

  /** Jobs that have ended, the last first. */
  async finished(
    viewer: Viewer,
    {
      state,
      offset,
      limit,
    }: { readonly state: string | undefined; readonly offset: number; readonly limit: number },
  ): Promise<readonly FinishedJob[]> {
    const rows = await this.#options.database.run((db) => {
      const query = db
        .selectFrom("vconductor.sisyphus_job")
        .selectAll()
        .where("tenant", "=", viewer.tenant)
        .where("state", "<>", "queued");
      return (state === undefined ? query : query.where("state", "=", state))
        .orderBy("finished_at", "desc")
        .orderBy("id")
        .offset(offset)
        .limit(limit)
        .execute();
    });
    return rows.map(({ document, state, info, finished_at }) => ({
      document,
      state,
      info,
      finishedAt: finished_at,
    }));
  }

  /** The engine's job is not to be handed out any more. */
  async #withdraw(tx: Transaction, viewer: Viewer, id: string): Promise<void> {
    const uniqueKey = uniqueKeyOf(viewer, id);
    await this.#options.remoteJobs.withdrawIn(tx, { queue: queueOf(viewer), uniqueKey });
  }

  /**
   * Does `work` in a transaction that has the job locked, after its run, or after the engine's job that waits: the engine
   * locks them in that order. Which it is is known from a look without a lock. Where that is not so any more, the transaction
   * ends, which frees everything, and another begins.
   *
   * @returns false: there is no such job
   */
  async #changing(
    viewer: Viewer,
    id: string,
    work: (tx: Transaction, job: LockedJob) => Promise<boolean>,
  ): Promise<boolean> {
    for (let round = 0; round < mostRounds; round++) {
      const done = await this.#options.database.transaction(async (tx) => {
        const job = await this.#lock(tx, viewer, id);
        if (job === "changed") return undefined;
        return job === undefined ? false : await work(tx, job);
      });
      if (done !== undefined) return done;
    }
    throw new VconductorError("conflict", "the job is being changed by too many at once; try again");
  }

  async #lock(tx: Transaction, viewer: Viewer, id: string): Promise<LockedJob | "changed" | undefined> {
    const read = () =>
      tx
        .selectFrom("vconductor.sisyphus_job")
        .select(["state", "run_id"])
        .where("id", "=", id)
        .where("tenant", "=", viewer.tenant);
    const seen = await read().executeTakeFirst();
    if (seen === undefined) return undefined;
    if (seen.run_id !== null) {
      await sql`select from vconductor.run where id = ${seen.run_id} for update`.execute(tx);
    } else if (seen.state === "queued") {
      const waiting = await sql`select from vconductor.job
        where queue = ${queueOf(viewer)} and unique_key = ${uniqueKeyOf(viewer, id)} and state in ('waiting', 'scheduled')
        for update`.execute(tx);
      if (waiting.rows.length === 0) return "changed";
    }
    const locked = await read().forUpdate().executeTakeFirst();
    return locked === undefined || locked.run_id === seen.run_id ? locked : "changed";
  }
}

/** As the engine keeps it. */
function uniqueKeyOf({ tenant }: Viewer, id: string): string {
  return tenant === DEFAULT_TENANT ? id : `${tenant}\n${id}`;
}

/** Why a job failed, in the words of its worker. */
function reasonIn(info: unknown): string {
  const message: unknown =
    typeof info === "object" && info !== null && "message" in info ? info.message : undefined;
  return typeof message === "string" ? message.slice(0, 10_000) : "its worker says that it failed";
}
