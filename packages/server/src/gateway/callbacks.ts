import { sql } from "kysely";
import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import type { ProcessorContext } from "../processors/define.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";

const mostTries = 6;
const batch = 20;

interface Due {
  readonly id: string;
  readonly callback: string;
  readonly callback_tries: number;
  readonly outcome: string | null;
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
  return new Repetition({
    work: (signal) => deliver(options, signal),
    // While the database is away; the next look finds what is left.
    failed: (error) => options.log.warn({ err: error }, "callbacks could not be looked up"),
    everyMs: 1000,
  });
}

async function deliver(options: CallbackOptions, signal: AbortSignal): Promise<void> {
  // Whoever takes one has a minute for it; then another server may.
  const { rows } = await options.database.run((db) =>
    sql<Due>`
      update vconductor.gateway_request g
      set callback_tries = callback_tries + 1, callback_after = now() + interval '1 minute'
      from (
        select c.id, (select r.outcome from vconductor.run r where r.job_id = c.job_id order by r.id desc limit 1) as outcome
        from vconductor.gateway_request c
        where not callback_done and callback_after <= now()
          and not exists (select from vconductor.job j where j.id = c.job_id and j.state <> 'failed')
        order by callback_after limit ${batch} for update skip locked
      ) due
      where g.id = due.id
      returning g.id, g.callback, g.callback_tries, due.outcome`.execute(db),
  );
  await Promise.all(rows.map((row) => call(row, options, signal)));
}

async function call(due: Due, { fetch, log, database }: CallbackOptions, signal: AbortSignal): Promise<void> {
  const { id, callback, callback_tries: tries, outcome } = due;
  const status =
    outcome === "done" ? "SUCCESS" : outcome === "cancelled" || outcome === null ? "REVOKED" : "FAILURE";
  const delivered = await fetch(callback, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uuid: id, status }),
    signal,
    timeoutMs: 10_000,
  }).then(
    (answer) => answer.status < 300,
    (error: unknown) => {
      log.warn({ err: error, request: id }, "a callback was not delivered");
      return false;
    },
  );
  if (signal.aborted && !delivered) return;
  const done = delivered || tries >= mostTries;
  await database.run((db) =>
    sql`update vconductor.gateway_request set callback_done = ${done},
        callback_after = now() + ${2 ** tries} * interval '1 second'
      where id = ${id}`.execute(db),
  );
}
