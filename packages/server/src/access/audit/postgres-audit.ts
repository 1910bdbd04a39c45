import { sql } from "kysely";
import { Batch } from "../../database/batch.ts";
import type { Database } from "../../database/database.ts";
import type { AuditEntry, AuditRecord, AuditTrail } from "./audit-trail.ts";
import { chainRecords, verifyChain } from "./chain.ts";
import { insertEntries, matching, selectRecords } from "./records.ts";

const page = 1000;

/** The audit trail in PostgreSQL. Entries that come together share one statement. */
export function postgresAudit(database: Database): AuditTrail {
  const batch = new Batch<AuditEntry, true>(
    async (entries) => {
      await database.run((db) => insertEntries(db, entries));
      return entries.map(() => true as const);
    },
    { lanes: 2, limit: 256 },
  );
  return {
    async record(entry) {
      await batch.add(entry);
    },

    recordIn: (tx, entries) => insertEntries(tx, entries),

    async list({ limit, before, ...filter }) {
      const older = before === undefined ? sql<boolean>`true` : sql<boolean>`id < ${before}`;
      return await database.run((db) =>
        selectRecords(db, {
          where: sql<boolean>`${matching(filter)} and ${older}`,
          order: sql`id desc`,
          limit,
        }),
      );
    },

    async *export(filter) {
      let after = 0;
      for (;;) {
        const records: readonly AuditRecord[] = await database.run((db) =>
          selectRecords(db, {
            where: sql<boolean>`${matching(filter)} and id > ${after}`,
            order: sql`id`,
            limit: page,
          }),
        );
        yield* records;
        const last = records.at(-1);
        if (last === undefined || records.length < page) return;
        after = last.id;
      }
    },

    chain: () => chainRecords(database),
    verify: (expected = []) => verifyChain(database, expected),
  };
}
