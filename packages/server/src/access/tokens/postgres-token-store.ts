import { type Selectable, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import type { TokenTable } from "../../database/tables.ts";
import { VconductorError } from "../../errors.ts";
import { isScope } from "../scopes.ts";
import type { NewToken, Token, TokenStore } from "./token-store.ts";
import { hashOf, makeToken, writeToken } from "./token-text.ts";

/** API tokens in PostgreSQL. */
export function postgresTokenStore(database: Database): TokenStore {
  const find = (id: string) =>
    database.run((db) =>
      db.selectFrom("vconductor.token").selectAll().where("id", "=", id).executeTakeFirst(),
    );
  return {
    async create(given) {
      const made = makeToken();
      const row = await database.run((db) =>
        db
          .insertInto("vconductor.token")
          .values({ id: made.id, secret_hash: hashOf(made.secret), ...toColumns(given) })
          .returningAll()
          .executeTakeFirstOrThrow(),
      );
      return { token: toToken(row), text: writeToken(made) };
    },

    async list({ limit, after }) {
      const rows = await database.run((db) => {
        const query = db
          .selectFrom("vconductor.token")
          .selectAll()
          .orderBy("created_at", "desc")
          .orderBy("id", "desc")
          .limit(limit);
        if (after === undefined) return query.execute();
        const before = sql<boolean>`(created_at, id) < (${after.createdAt}::timestamptz, ${after.id})`;
        return query.where(before).execute();
      });
      return rows.map(toToken);
    },

    async get(id) {
      const row = await find(id);
      if (row === undefined) throw notFound(id);
      return toToken(row);
    },

    async revoke(id) {
      const row = await database.run((db) =>
        db
          .updateTable("vconductor.token")
          .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
          .where("id", "=", id)
          .returning("id")
          .executeTakeFirst(),
      );
      if (row === undefined) throw notFound(id);
    },

    async find(id) {
      const row = await find(id);
      return row === undefined ? undefined : { token: toToken(row), hash: row.secret_hash };
    },

    async noteUse(id, address) {
      await database.run((db) =>
        sql`update vconductor.token set last_used_at = now(), last_used_from = ${address}
          where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`.execute(
          db,
        ),
      );
    },
  };
}

function notFound(id: string): VconductorError {
  return new VconductorError("not_found", `token: ${id} not found`);
}

function toColumns(token: NewToken) {
  return {
    name: token.name,
    tenant: token.tenant,
    scopes: [...token.scopes],
    groups: [...(token.groups ?? [])],
    queues: token.queues === undefined ? null : [...token.queues],
    kind: token.ingest === undefined ? "api" : "ingest",
    ingest: token.ingest === undefined ? null : JSON.stringify(token.ingest),
    expires_at: token.expiresAt ?? null,
    created_by: token.createdBy,
    // In whole milliseconds, so that a cursor has all of it.
    created_at: new Date(),
  };
}

function toToken(row: Selectable<TokenTable>): Token {
  return {
    id: row.id,
    name: row.name,
    tenant: row.tenant,
    scopes: row.scopes.filter(isScope),
    groups: row.groups,
    queues: row.queues ?? undefined,
    ingest: row.ingest ?? undefined,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    lastUsedFrom: row.last_used_from ?? undefined,
  };
}
