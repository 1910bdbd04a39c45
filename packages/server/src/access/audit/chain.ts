import { sql } from "kysely";
import type { Database, Executor } from "../../database/database.ts";
import type { AuditRecord, AuditVerdict, ChainHead } from "./audit-trail.ts";
import { chainHash, noHash } from "./chain-hash.ts";
import { selectRecords } from "./records.ts";

const batch = 1000;
/** Any constant that is ours. */
const lock = 7_226_602;

/**
 * Gives the oldest records without a place in the chain theirs, after its end. They are many transactions' and come to
 * light in any order; the order of chaining is what counts, so none is passed over. Servers take turns.
 *
 * @returns how many; 0 also while another server is at it
 */
export async function chainRecords(database: Database): Promise<number> {
  return await database.transaction(async (tx) => {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(${lock}) as mine`.execute(
      tx,
    );
    if (rows[0]?.mine !== true) return 0;
    const loose = await selectRecords(tx, {
      where: sql<boolean>`position is null`,
      order: sql`id`,
      limit: batch,
    });
    if (loose.length === 0) return 0;
    let { position, hash } = (await headOf(tx)) ?? { position: 0, hash: noHash };
    const chained = loose.map((record) => {
      position += 1;
      hash = chainHash(hash, { ...record, position });
      return { id: record.id, position, hash };
    });
    await sql`
      update vconductor.audit set position = g.position, hash = g.hash
      from jsonb_to_recordset(${JSON.stringify(chained)}::jsonb) as g (id bigint, position bigint, hash text)
      where audit.id = g.id`.execute(tx);
    return chained.length;
  });
}

async function headOf(db: Executor): Promise<ChainHead | undefined> {
  const { rows } = await sql<ChainHead>`
    select position, hash from vconductor.audit where position is not null
    order by position desc limit 1`.execute(db);
  return rows[0];
}

/** Walks the chain from its beginning. */
export async function verifyChain(database: Database, expected: readonly ChainHead[]): Promise<AuditVerdict> {
  const awaited = new Map(expected.map((head) => [head.position, head.hash]));
  let head: ChainHead = { position: 0, hash: noHash };
  let mistake: string | undefined;
  for (;;) {
    const page = await database.run((db) =>
      selectRecords(db, {
        where: sql<boolean>`position > ${head.position}`,
        order: sql`position`,
        limit: batch,
      }),
    );
    for (const record of page) {
      mistake ??= mistakeIn(record, { head, awaited });
      awaited.delete(record.position ?? 0);
      head = { position: record.position ?? 0, hash: record.hash ?? "" };
    }
    if (page.length < batch || mistake !== undefined) break;
  }
  const [missing] = awaited.keys();
  if (missing !== undefined)
    mistake ??= `position ${missing}, which was noted earlier, is not there: the end was cut off`;
  const { rows } = await database.run((db) =>
    sql<{ late: number }>`
      select count(*) as late from vconductor.audit
      where position is null and at < now() - interval '1 minute'`.execute(db),
  );
  return { head: head.position === 0 ? undefined : head, mistake, late: rows[0]?.late ?? 0 };
}

function mistakeIn(
  record: AuditRecord,
  { head, awaited }: { readonly head: ChainHead; readonly awaited: ReadonlyMap<number, string> },
): string | undefined {
  const { position, hash, id } = record;
  const next = head.position + 1;
  if (position !== next) return `position ${next} is missing: the next one there is ${position} (id ${id})`;
  if (hash !== chainHash(head.hash, record)) {
    return `position ${position} (id ${id}) is not as it was recorded, or does not follow what is before it`;
  }
  const noted = awaited.get(position);
  if (noted !== undefined && noted !== hash)
    return `position ${position} (id ${id}) has another hash than was noted`;
  return undefined;
}
