import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { isRequestId, unwanted } from "../requests.ts";
import type { TaskAnswer, TaskReport } from "./reports.ts";

/** The task of a job that was just taken up. */
export interface Task {
  readonly id: string;
  /** The broker has it: it is not to be sent again. */
  readonly isSent: boolean;
  /** It ended when nobody held its run. Its result is as `JobValues` keeps it. */
  readonly answer: TaskAnswer | null;
}

/** A run in hand that is not to go on. */
export interface StoppedRun {
  readonly runId: number;
  /** It is to be ended. Otherwise it has ended. */
  readonly isActive: boolean;
  /** Nobody waits for its task. */
  readonly isCancelled: boolean;
}

/** The run of a task, in the hands of a server. */
export interface HeldTask {
  readonly id: string;
  readonly queue: string;
  /** What Redis had of it when that was looked at last. */
  seen?: string;
}

/** The run that a report is about; undefined: nobody holds it at the moment. */
interface Reported {
  readonly runId: number | undefined;
}

/** How long workers are told of a task that nobody waits for, if none of them says that it has ended. */
const revokedFor = sql`interval '1 day'`;
const revokesAtOnce = 1000;

/** What is known of Celery's tasks. Each is of a request of the gateway, and of its job. */
export class CeleryTasks {
  readonly #database: Database;

  /** @param database of the queues */
  constructor(database: Database) {
    this.#database = database;
  }

  /** One that failed, and is tried again, is another task from now on. @throws Error the job is of no request */
  async takeUp(jobId: number): Promise<Task> {
    const { rows } = await this.#database.run(async (db) => {
      await sql`
        update vconductor.gateway_request g set task_id = gen_random_uuid(), sent_at = null, started_at = null,
          heard_at = null, reported = null, answer = null, ended_at = null, unwanted_at = null, revoke_after = null
        where job_id = ${jobId} and exists (select from vconductor.run r
          where r.job_id = g.job_id and r.outcome = 'failed' and r.finished_at >= g.sent_at)`.execute(db);
      return await sql<Task>`
        select task_id as id, sent_at is not null as "isSent", answer
        from vconductor.gateway_request where job_id = ${jobId}`.execute(db);
    });
    const [task] = rows;
    if (task === undefined) throw new Error(`job ${jobId} was not asked for through the gateway`);
    return task;
  }

  /** The broker has it. It may have been cancelled meanwhile. */
  async noteSent(id: string): Promise<void> {
    await this.#database.run((db) =>
      sql`update vconductor.gateway_request set sent_at = coalesce(sent_at, now()), unwanted_at = cancelled_at,
          revoke_after = case when cancelled_at is not null and ended_at is null then now() end
        where task_id = ${id}`.execute(db),
    );
  }

  /** What a worker says while it is at it. @returns undefined: there is no such job any more */
  async noteNews({ id, status, result }: TaskReport): Promise<Reported | undefined> {
    const text = JSON.stringify({ status, result });
    // PostgreSQL's JSON cannot hold those; it is news that pass.
    const kept = /\\u(?:0000|d[89a-f])/i.test(text) ? null : text;
    return await this.#note(
      id,
      sql`reported = coalesce(${kept}::jsonb, reported), started_at = coalesce(started_at, now())`,
    );
  }

  /**
   * A task has ended.
   * @param answer to be kept for whoever takes its job up next. @returns undefined: there is no such job any more
   */
  async noteEnd(id: string, answer?: TaskAnswer): Promise<Reported | undefined> {
    const kept = answer === undefined ? null : JSON.stringify(answer);
    return await this.#note(
      id,
      sql`answer = coalesce(answer, ${kept}::jsonb), ended_at = now(), revoke_after = null`,
    );
  }

  async #note(id: string, change: RawBuilder<unknown>): Promise<Reported | undefined> {
    if (!isRequestId(id)) return undefined;
    // A worker can be faster than the note that its task was sent.
    const { rows } = await this.#database.run((db) =>
      sql<{ run_id: number | null; pending: boolean }>`
        update vconductor.gateway_request g
        set heard_at = now(), sent_at = coalesce(sent_at, now()), ${change}
        where task_id = ${id}
        returning (select r.id from vconductor.run r where r.job_id = g.job_id and r.finished_at is null) as run_id,
          exists (select from vconductor.job j where j.id = g.job_id and j.state <> 'failed') as pending`.execute(
        db,
      ),
    );
    const [row] = rows;
    // A job that is gone has ended, whatever comes of it still.
    return row?.pending ? { runId: row.run_id ?? undefined } : undefined;
  }

  /** Which of the runs are not to go on: cancelled, or ended by somebody else. */
  async stopped(runIds: readonly number[]): Promise<readonly StoppedRun[]> {
    if (runIds.length === 0) return [];
    const { rows } = await this.#database.run((db) =>
      sql<StoppedRun>`
        select id as "runId", finished_at is null as "isActive",
          case when finished_at is null then cancel_requested_at is not null else outcome = 'cancelled' end as "isCancelled"
        from vconductor.run
        where id = any (${[...runIds]}::bigint[]) and (finished_at is not null or cancel_requested_at is not null)`.execute(
        db,
      ),
    );
    return rows;
  }

  /**
   * Which of the runs have a task that may be lost: nothing was heard for so long, neither of it nor of any that was sent
   * before it. While there is, it may be that it waits for those.
   *
   * @param options.services all that share the queue
   */
  async silent(options: {
    readonly runIds: readonly number[];
    readonly services: readonly string[];
    readonly seconds: number;
  }): Promise<readonly number[]> {
    const { runIds, services, seconds } = options;
    const since = sql`now() - ${seconds}::float8 * interval '1 second'`;
    const { rows } = await this.#database.run((db) =>
      sql<{ id: number }>`
        select r.id from vconductor.run r join vconductor.gateway_request g on g.job_id = r.job_id
        where r.id = any (${[...runIds]}::bigint[]) and g.sent_at < ${since}
          and not exists (select from vconductor.gateway_request o
            where o.heard_at > ${since} and o.service = any (${[...services]}::text[]) and o.sent_at <= g.sent_at)`.execute(
        db,
      ),
    );
    return rows.map(({ id }) => id);
  }

  /** Has workers told that nobody waits for a task. Not where it has ended. */
  async revoke(id: string): Promise<void> {
    await this.#database.run((db) =>
      sql`update vconductor.gateway_request set ${unwanted} where task_id = ${id}`.execute(db),
    );
  }

  /**
   * The tasks that workers are to be told of now. They are told again later, less and less often, until one says that the
   * task has ended: the worker that has it may have come meanwhile.
   */
  async dueRevokes(): Promise<readonly { readonly id: string; readonly isLast: boolean }[]> {
    const { rows } = await this.#database.run((db) =>
      sql<{ id: string; isLast: boolean }>`
        update vconductor.gateway_request g set revoke_after = case when unwanted_at > now() - ${revokedFor}
          then now() + greatest(interval '5 seconds', (now() - unwanted_at) / 4) end
        from (select id from vconductor.gateway_request where revoke_after <= now()
          order by revoke_after limit ${revokesAtOnce} for update skip locked) due
        where g.id = due.id
        returning g.task_id as id, g.revoke_after is null as "isLast"`.execute(db),
    );
    return rows;
  }

  /** There are new workers of these services: they are told at once. */
  async hastenRevokes(services: readonly string[]): Promise<void> {
    await this.#database.run((db) =>
      sql`update vconductor.gateway_request set revoke_after = now()
        where revoke_after is not null and service = any (${[...services]}::text[])`.execute(db),
    );
  }
}
