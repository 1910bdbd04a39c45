import { type RawBuilder, sql } from "kysely";
import type { Executor } from "../../database/database.ts";
import type { AuditEntry, AuditFilter, AuditRecord } from "./audit-trail.ts";

/** The columns of a record, as it counts for the chain: the time as text, to the microsecond. */
const columns = sql`id, to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, principal,
  principal_name, via, tenant, action, vcon, target, address, request, run, status, detail, position, hash`;

/** Records for which a condition holds. */
export async function selectRecords(
  db: Executor,
  query: {
    readonly where: RawBuilder<boolean>;
    readonly order: RawBuilder<unknown>;
    readonly limit: number;
  },
): Promise<readonly AuditRecord[]> {
  const { rows } = await sql<AuditRecord>`
    select ${columns} from vconductor.audit where ${query.where} order by ${query.order} limit ${query.limit}`.execute(
    db,
  );
  return rows;
}

export async function insertEntries(db: Executor, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ principal, detail, ...rest }) => ({
    ...rest,
    principal: principal.id,
    principal_name: principal.name,
    via: principal.via,
    tenant: principal.tenant,
    detail: detail === undefined ? null : JSON.stringify(detail),
  }));
  await db.insertInto("vconductor.audit").values(rows).execute();
}

/** A filter as a condition. */
export function matching(filter: AuditFilter): RawBuilder<boolean> {
  const { since, until } = filter;
  const equal = (["vcon", "principal", "tenant", "action"] as const).flatMap((column) => {
    const wanted = filter[column];
    return wanted === undefined ? [] : [sql<boolean>`${sql.ref(column)} = ${wanted}`];
  });
  const all = [
    ...equal,
    ...(since === undefined ? [] : [sql<boolean>`at >= ${since}`]),
    ...(until === undefined ? [] : [sql<boolean>`at < ${until}`]),
  ];
  return all.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(all, sql` and `)}`;
}
