import { sql } from "kysely";
import type { Stores } from "./stores.ts";

/** A queue's budget looks back so far at most: `queue_budget_hours`. */
const longestBudgetDays = 31;

/**
 * Forgets what is kept for a while beside runs. vCons are not among it, nor what the once-only ledger knows.
 * @param options.days as long as runs are kept
 */
export async function forgetOld(
  { queueDatabase, remoteWorkers, usage }: Stores,
  { days }: { readonly days: number },
): Promise<void> {
  await queueDatabase.run(async (db) => {
    await sql`delete from vconductor.idempotent_request where created_at < now() - interval '1 day'`.execute(
      db,
    );
    // Whoever asked may come for the result as long as the run is there.
    await sql`delete from vconductor.gateway_request g
      where created_at < now() - ${days * 2} * interval '1 day'
        and not exists (select from vconductor.job j where j.id = g.job_id)`.execute(db);
    await sql`delete from vconductor.sisyphus_job
      where state <> 'queued' and finished_at < now() - ${days} * interval '1 day'`.execute(db);
  });
  await remoteWorkers.purge({ olderThanDays: days });
  await usage.purge(Math.max(days, longestBudgetDays));
}
