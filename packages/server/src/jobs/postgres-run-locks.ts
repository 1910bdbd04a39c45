import { type RawBuilder, type Selectable, sql } from "kysely";
import type { Transaction } from "../database/database.ts";
import type { RunTable } from "../database/tables.ts";

/**
 * Locks those of the runs that are still active. All who lock several at once do it in this one order, so that no two of
 * them wait for each other.
 */
export function lockActive(
  runIds: readonly number[],
  strength: "update" | "no key update",
): RawBuilder<{ id: number }> {
  return sql`select id from vconductor.run where id = any (${[...runIds]}::bigint[]) and finished_at is null
    order by id for ${sql.raw(strength)}`;
}

/** The run if it is still active (and, when asked, its lease has passed), locked until the transaction ends. */
export async function lockRun(
  tx: Transaction,
  runId: number,
  options: { readonly expired?: boolean } = {},
): Promise<Selectable<RunTable> | undefined> {
  return await tx
    .selectFrom("vconductor.run")
    .selectAll()
    .where("id", "=", runId)
    .where("finished_at", "is", null)
    .$if(options.expired === true, (query) => query.where("lease_until", "<", (eb) => eb.fn<Date>("now")))
    .forUpdate()
    .executeTakeFirst();
}
