import { partyKey } from "@vconductor/vcon";
import { sql } from "kysely";
import { visible } from "../access/visible.ts";
import type { Database } from "../database/database.ts";
import type { VconFilter, VconListing } from "./vcon-store.ts";

/** One page of the list of vCons, newest first. */
export async function listVcons(database: Database, filter: VconFilter): Promise<readonly VconListing[]> {
  const parties = (["tel", "mailto", "name"] as const).flatMap((kind) => {
    const wanted = filter[kind];
    // What is no address at all matches nothing.
    return wanted === undefined ? [] : [partyKey(kind, wanted) ?? `${kind}:`];
  });
  const rows = await database.run((db) => {
    let query = db
      .selectFrom("vconductor.vcon")
      .select([
        "uuid",
        "form",
        "subject",
        "parties",
        "revision",
        "created_at",
        "stored_at",
        "updated_at",
        sql<number>`octet_length(body)`.as("size"),
      ])
      .orderBy("created_at", "desc")
      .orderBy("uuid", "desc")
      .where(visible(filter.viewer, "read"))
      .limit(filter.limit);
    if (parties.length > 0) query = query.where("parties", "@>", sql<string[]>`${parties}::text[]`);
    if (filter.since !== undefined) query = query.where("created_at", ">=", filter.since);
    if (filter.until !== undefined) query = query.where("created_at", "<", filter.until);
    for (const word of filter.subject?.split(/\s+/).filter((part) => part !== "") ?? []) {
      query = query.where("subject", "ilike", `%${word.replace(/[\\%_]/g, "\\$&")}%`);
    }
    if (filter.text !== undefined) {
      query = query.where(
        "uuid",
        "in",
        sql<string>`(select uuid from vconductor.vcon_text
          where search @@ websearch_to_tsquery('simple', ${filter.text}))`,
      );
    }
    if (filter.after !== undefined) {
      query = query.where(
        sql<boolean>`(created_at, uuid) < (${filter.after.createdAt}::timestamptz, ${filter.after.uuid})`,
      );
    }
    return query.execute();
  });
  return rows.map((row) => ({
    uuid: row.uuid,
    form: row.form,
    subject: row.subject,
    parties: row.parties,
    revision: row.revision,
    createdAt: row.created_at,
    storedAt: row.stored_at,
    updatedAt: row.updated_at,
    size: row.size,
  }));
}
