import { createHash, randomBytes } from "node:crypto";
import { everything } from "../access/principal.ts";
import { VconductorError } from "../errors.ts";
import type { Ledger, LedgerPipeline, LedgerToken } from "./ledger.ts";
import { type LedgerOptions, queueOf } from "./ledger-options.ts";
import { taskChanges } from "./postgres-task-changes.ts";
import { taskLists } from "./postgres-task-lists.ts";
import { taskMethods } from "./postgres-tasks.ts";

/** How long a token that was good is taken for good by this process. */
const trustMs = 1000;
const mostRemembered = 10_000;

/** The ledger in PostgreSQL. */
export function postgresLedger(options: LedgerOptions): Ledger {
  const { database, jobs } = options;
  // Pipelines do not change, and are never deleted.
  const known = new Map<string, LedgerPipeline>();
  const trusted = new Map<string, { readonly token: LedgerToken; readonly until: number }>();

  return {
    ...taskMethods(options),
    ...taskChanges(options),
    ...taskLists(options),

    async addPipeline({ name, uri, version }) {
      await jobs.createQueue({ name: queueOf({ name }), kind: "task", viewer: everything }).catch((error) => {
        if (!(error instanceof VconductorError) || error.code !== "queue_exists") throw error;
      });
      const row = await database.run((db) =>
        db
          .insertInto("vconductor.porch_pipeline")
          .values({ name, uri, version })
          .onConflict((conflict) => conflict.column("name").doNothing())
          .returning(["id", "name", "uri", "version"])
          .executeTakeFirst(),
      );
      if (row === undefined) throw new VconductorError("conflict", "Pipeline already exists");
      return row;
    },

    async listPipelines({ uri, version }) {
      return await database.run((db) => {
        let query = db
          .selectFrom("vconductor.porch_pipeline")
          .select(["id", "name", "uri", "version"])
          .orderBy("id");
        if (uri !== undefined) query = query.where("uri", "=", uri);
        if (version !== undefined) query = query.where("version", "=", version);
        return query.execute();
      });
    },

    async getPipeline(name) {
      const seen = known.get(name);
      if (seen !== undefined) return seen;
      const row = await database.run((db) =>
        db
          .selectFrom("vconductor.porch_pipeline")
          .select(["id", "name", "uri", "version"])
          .where("name", "=", name)
          .executeTakeFirst(),
      );
      if (row === undefined) throw new VconductorError("not_found", `Pipeline '${name}' not found`);
      if (known.size >= mostRemembered) known.clear();
      known.set(name, row);
      return row;
    },

    async addToken({ pipeline, description }) {
      const text = randomBytes(16).toString("hex");
      await database.run((db) =>
        db
          .insertInto("vconductor.porch_token")
          .values({ hash: hashOf(text), description, pipeline_id: pipeline?.id ?? null, revoked_at: null })
          .execute(),
      );
      return text;
    },

    async findToken(text) {
      const hash = hashOf(text);
      const key = hash.toString("base64");
      const seen = trusted.get(key);
      if (seen !== undefined && seen.until > Date.now()) return seen.token;
      trusted.delete(key);
      const row = await database.run((db) =>
        db
          .selectFrom("vconductor.porch_token as t")
          .leftJoin("vconductor.porch_pipeline as p", "p.id", "t.pipeline_id")
          .select(["t.id", "t.description", "t.pipeline_id", "p.name", "p.uri", "p.version"])
          .where("t.hash", "=", hash)
          .where("t.revoked_at", "is", null)
          .executeTakeFirst(),
      );
      if (row === undefined) return undefined;
      const token = toToken(row);
      if (trusted.size >= mostRemembered) trusted.clear();
      trusted.set(key, { token, until: Date.now() + trustMs });
      return token;
    },

    async listTokens({ limit, after = 0 }) {
      const rows = await database.run((db) =>
        db
          .selectFrom("vconductor.porch_token as t")
          .leftJoin("vconductor.porch_pipeline as p", "p.id", "t.pipeline_id")
          .select(["t.id", "t.description", "t.pipeline_id", "p.name", "p.uri", "p.version"])
          .select(["t.issued_at", "t.revoked_at"])
          .where("t.id", ">", after)
          .orderBy("t.id")
          .limit(limit)
          .execute(),
      );
      return rows.map((row) => ({
        ...toToken(row),
        id: row.id,
        issuedAt: row.issued_at,
        revokedAt: row.revoked_at,
      }));
    },

    async revokeToken(id) {
      const row = await database.run((db) =>
        db
          .updateTable("vconductor.porch_token")
          .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.fn<Date>("now")) }))
          .where("id", "=", id)
          .returning("id")
          .executeTakeFirst(),
      );
      if (row === undefined) throw new VconductorError("not_found", `Token ${id} not found`);
      for (const [key, { token }] of trusted) if (token.id === id) trusted.delete(key);
    },
  };
}

/** A token is 128 random bits: a plain hash tells nothing of it. */
export function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function toToken(row: {
  readonly id: number;
  readonly description: string;
  readonly pipeline_id: number | null;
  readonly name: string | null;
  readonly uri: string | null;
  readonly version: string | null;
}): LedgerToken {
  const { id, description, pipeline_id, name, uri, version } = row;
  const pipeline =
    pipeline_id === null
      ? undefined
      : { id: pipeline_id, name: name ?? "", uri: uri ?? "", version: version ?? "" };
  return { id, description, pipeline };
}
