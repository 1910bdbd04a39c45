import { sql } from "kysely";
import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import type { ProcessorContext } from "../processors/define.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";

const mostTries = 8;
/** Seconds before the second try; each next one waits three times as long, half an hour at most: about an hour in all. */
const firstPause = 5;
const longestPause = 1800;
/** Calls under way at the same time: a receiver that takes its time holds up nobody else's. */
const atOnce = 50;

interface Due {
  readonly id: string;
  readonly callback: string;
  readonly callback_tries: number;
  readonly outcome: string | null;
  readonly cancelled: boolean;
}

export interface CallbackOptions {
  /** Of the queues. */
  readonly database: Database;
  /** Guarded: the address is a caller's. */
  readonly fetch: ProcessorContext["fetch"];
  readonly log: Pick<Logger, "warn">;
}

/** Tells whoever asked for it that a request has ended: `{"uuid", "status"}` is posted to the address it gave. */
export function callbacks(options: CallbackOptions): Service {
  const { database, log } = options;
  const underWay = new Set<Promise<void>>();
  const failed = (error: unknown) => log.warn({ err: error }, "callbacks could not be looked up");
  const repetition = new Repetition({
    work: async (signal) => {
      for (const due of await takeDue(database, atOnce - underWay.size)) {
        // While the database is away; the next look finds what is left.
        const calling = call(due, options, signal)
          .catch(failed)
          .finally(() => underWay.delete(calling));
        underWay.add(calling);
      }
    },
    failed,
    everyMs: 1000,
  });
  return {
    start: () => repetition.start(),
    async stop() {
      await repetition.stop();
      await Promise.all(underWay);
    },
  };
}

async function takeDue(database: Database, limit: number): Promise<readonly Due[]> {
  if (limit < 1) return [];
  // Whoever takes one has a minute for it; then another server may.
  const { rows } = await database.run((db) =>
    sql<Due>`
      update vconductor.gateway_request g
      set callback_tries = callback_tries + 1, callback_after = now() + interval '1 minute'
      from (
        select c.id, (select r.outcome from vconductor.run r where r.job_id = c.job_id order by r.id desc limit 1) as outcome
        from vconductor.gateway_request c
        where not callback_done and callback_after <= now()
          and not exists (select from vconductor.job j where j.id = c.job_id and j.state <> 'failed')
        order by callback_after limit ${limit} for update skip locked
      ) due
      where g.id = due.id
      returning g.id, g.callback, g.callback_tries, due.outcome, g.cancelled_at is not null as cancelled`.execute(
      db,
    ),
  );
  return rows;
}

async function call(due: Due, { fetch, log, database }: CallbackOptions, signal: AbortSignal): Promise<void> {
  const { id, callback, callback_tries: tries } = due;
  const status = statusOf(due);
  const problem = await fetch(callback, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uuid: id, status }),
    signal,
    timeoutMs: 10_000,
  }).then(
    (answer) => (answer.status < 300 ? undefined : `it was answered with ${answer.status}`),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (signal.aborted && problem !== undefined) return;
  const isLast = tries >= mostTries;
  if (problem !== undefined)
    log.warn({ request: id, tries, isLast, problem }, "a callback was not delivered");
  const pause = Math.min(longestPause, firstPause * 3 ** (tries - 1));
  await database.run((db) =>
    sql`update vconductor.gateway_request set callback_done = ${problem === undefined || isLast},
        callback_after = now() + ${pause}::float8 * interval '1 second'
      where id = ${id}`.execute(db),
  );
}

function statusOf({ outcome, cancelled }: Due): "SUCCESS" | "FAILURE" | "REVOKED" {
  if (outcome === "done") return "SUCCESS";
  const isRevoked = outcome === "cancelled" || outcome === null || (cancelled && outcome !== "failed");
  return isRevoked ? "REVOKED" : "FAILURE";
}
