import { sql } from "kysely";
import { type Migration, type MigrationProvider, Migrator } from "kysely/migration";
import { StartupError } from "../startup-error.ts";
import type { Database } from "./database.ts";
import * as foundation from "./migrations/0001-foundation.ts";
import * as usage from "./migrations/0002-usage.ts";
import * as access from "./migrations/0003-access.ts";
import * as remoteWork from "./migrations/0004-remote-work.ts";
import * as ledger from "./migrations/0005-ledger.ts";
import * as sisyphus from "./migrations/0006-sisyphus.ts";
import * as gateway from "./migrations/0007-gateway.ts";
import * as keptValues from "./migrations/0008-kept-values.ts";

const migrations: Record<string, Migration> = {
  "0001-foundation": foundation,
  "0002-usage": usage,
  "0003-access": access,
  "0004-remote-work": remoteWork,
  "0005-ledger": ledger,
  "0006-sisyphus": sisyphus,
  "0007-gateway": gateway,
  "0008-kept-values": keptValues,
};

const provider: MigrationProvider = { getMigrations: async () => migrations };

// Any constant will do: it only has to be ours, so that servers that start together take turns.
const migrationLock = 7_226_601;

/**
 * Brings the database's schema up to date. Servers that start together take turns; a failed migration leaves
 * the schema as it was.
 * @returns the names of the migrations that were applied now
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  return await database.db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${migrationLock})`.execute(connection);
    try {
      await sql`create schema if not exists vconductor`.execute(connection);
      const { error, results } = await new Migrator({
        db: connection,
        provider,
        migrationTableSchema: "vconductor",
        migrationTableName: "migration",
        migrationLockTableName: "migration_lock",
      }).migrateToLatest();
      if (error !== undefined) throw error;
      return (results ?? []).map((result) => result.migrationName);
    } finally {
      await sql`select pg_advisory_unlock(${migrationLock})`.execute(connection);
    }
  });
}

/** @throws StartupError when the schema is not the one this version needs (for `MIGRATE=off`). */
export async function checkSchema(database: Database): Promise<void> {
  const exists = await sql<{ found: boolean }>`
    select to_regclass('vconductor.migration') is not null as found`.execute(database.db);
  const applied = exists.rows[0]?.found
    ? (await sql<{ name: string }>`select name from vconductor.migration`.execute(database.db)).rows.map(
        (row) => row.name,
      )
    : [];
  const missing = Object.keys(migrations).filter((name) => !applied.includes(name));
  if (missing.length > 0) {
    throw new StartupError(
      `The database lacks the migrations ${missing.join(", ")}, and MIGRATE is off.`,
      "Run `vconductor migrate` once with the same settings, or start with MIGRATE=on.",
    );
  }
}
