import { describe } from "@vconductor/vcon";
import { type Insertable, type QueryCreator, type RawBuilder, sql } from "kysely";
import { Batch } from "../database/batch.ts";
import { afterCommit, type Database, type Executor, type Transaction } from "../database/database.ts";
import type { Tables, VconTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { EventSink } from "../events.ts";
import { listVcons } from "./list.ts";
import type { TextIndex } from "./text-index.ts";
import type {
  StoredVcon,
  VconChange,
  VconFilter,
  VconListing,
  VconStore,
  VconWrite,
  WriteCondition,
} from "./vcon-store.ts";

interface PutResult {
  readonly revision: number;
  readonly created: boolean;
}

/** The vCon store on PostgreSQL. Single reads and writes that arrive together share one statement. */
export class PostgresVconStore implements VconStore {
  readonly #database: Database;
  readonly #events: EventSink;
  readonly #textIndex: TextIndex;
  readonly #reads: Batch<string, StoredVcon | undefined>;
  readonly #writes: Batch<VconWrite, PutResult>;

  constructor(options: {
    readonly database: Database;
    readonly events: EventSink;
    readonly textIndex: TextIndex;
  }) {
    this.#database = options.database;
    this.#events = options.events;
    this.#textIndex = options.textIndex;
    this.#reads = new Batch(
      async (uuids) => {
        const found = await this.getMany(uuids);
        return uuids.map((uuid) => found.get(uuid));
      },
      { lanes: 2 },
    );
    this.#writes = new Batch((writes) => this.#upsert(writes), {
      key: (write) => write.uuid,
      lanes: 4,
      limit: 32,
    });
  }

  async get(uuid: string): Promise<StoredVcon> {
    const stored = await this.#reads.add(uuid);
    if (stored === undefined) throw vconNotFound(uuid);
    return stored;
  }

  async getMany(uuids: readonly string[]): Promise<ReadonlyMap<string, StoredVcon>> {
    const { rows } = await this.#database.run((db) =>
      sql<StoredVcon>`
        select uuid, form, body, revision, generation from vconductor.vcon
        where uuid = any (${[...new Set(uuids)]}::text[])`.execute(db),
    );
    return new Map(rows.map((row) => [row.uuid, row]));
  }

  async put(write: VconWrite, condition: WriteCondition = {}): Promise<PutResult> {
    const conditional = condition.ifMatch !== undefined || condition.ifAbsent === true;
    const result = conditional ? await this.#putIf(write, condition) : await this.#writes.add(write);
    this.#events.publish({ type: "vcon.stored", uuid: write.uuid, revision: result.revision });
    return result;
  }

  async delete(uuid: string, condition: WriteCondition = {}): Promise<boolean> {
    const deleted = await this.#database.transaction(async (tx) => {
      const current = await currentRevision(tx, uuid);
      checkCondition({ uuid, current, condition });
      if (current === undefined) return false;
      await tx.deleteFrom("vconductor.vcon").where("uuid", "=", uuid).execute();
      return true;
    });
    if (deleted) this.#events.publish({ type: "vcon.deleted", uuid });
    return deleted;
  }

  async list(filter: VconFilter): Promise<readonly VconListing[]> {
    if (filter.text !== undefined) await this.#textIndex.catchUp();
    return await listVcons(this.#database, filter);
  }

  async lockForChange(
    tx: Transaction,
    expected: readonly { readonly uuid: string; readonly revision: number; readonly generation: number }[],
  ): Promise<ReadonlySet<string>> {
    if (expected.length === 0) return new Set();
    // In the order of their uuids, as every statement that locks several does: so none waits for another in a circle.
    const { rows } = await sql<{ uuid: string; revision: number; generation: number }>`
      select uuid, revision, generation from vconductor.vcon
      where uuid = any (${expected.map((one) => one.uuid)}::text[]) order by uuid for no key update`.execute(
      tx,
    );
    const current = new Map(rows.map((row) => [row.uuid, row]));
    return new Set(
      expected
        .filter((one) => {
          const row = current.get(one.uuid);
          return row?.revision !== one.revision || row.generation !== one.generation;
        })
        .map((one) => one.uuid),
    );
  }

  async writeIn(tx: Transaction, changes: readonly VconChange[]): Promise<void> {
    if (changes.length === 0) return;
    const results = await upsert(tx, changes);
    afterCommit(tx, () => {
      changes.forEach((change, index) => {
        const revision = results[index]?.revision ?? 0;
        this.#events.publish({ type: "vcon.stored", uuid: change.uuid, revision });
      });
    });
  }

  #upsert(writes: readonly VconWrite[]): Promise<readonly PutResult[]> {
    return this.#database.run((db) => upsert(db, writes));
  }

  async #putIf(write: VconWrite, condition: WriteCondition): Promise<PutResult> {
    return await this.#database.transaction(async (tx) => {
      // Two first writes of one uuid have no row to wait at: they take turns here.
      await sql`select pg_advisory_xact_lock(hashtextextended(${write.uuid}, 11))`.execute(tx);
      const current = await currentRevision(tx, write.uuid);
      checkCondition({ uuid: write.uuid, current, condition });
      const [result] = condition.ifAbsent ? await insertNew(tx, write) : await upsert(tx, [write]);
      if (result === undefined) throw mismatch(write.uuid, "exists already");
      return result;
    });
  }
}

function vconNotFound(uuid: string): VconductorError {
  return new VconductorError("vcon_not_found", `vCon UUID: ${uuid} not found`);
}

async function currentRevision(tx: Transaction, uuid: string): Promise<number | undefined> {
  const row = await tx
    .selectFrom("vconductor.vcon")
    .select("revision")
    .where("uuid", "=", uuid)
    // No stronger: the text index refers to the row while it holds a mark that a write then waits for.
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.revision;
}

function checkCondition(options: {
  readonly uuid: string;
  readonly current: number | undefined;
  readonly condition: WriteCondition;
}): void {
  const { uuid, current, condition } = options;
  if (condition.ifAbsent && current !== undefined) throw mismatch(uuid, "exists already");
  if (condition.ifMatch === undefined) return;
  if (current === undefined) throw mismatch(uuid, "does not exist");
  if (condition.ifMatch !== "*" && !condition.ifMatch.includes(current)) {
    throw mismatch(uuid, `is at revision ${current}`);
  }
}

function mismatch(uuid: string, why: string): VconductorError {
  return new VconductorError("revision_mismatch", `vCon UUID: ${uuid} ${why}`);
}

async function insertNew(tx: Transaction, write: VconWrite): Promise<PutResult[]> {
  return await tx
    .with("written", (db) =>
      db
        .insertInto("vconductor.vcon")
        .values(toRow(write))
        .onConflict((conflict) => conflict.doNothing())
        .returning(["uuid", "revision", created.as("created")]),
    )
    .with("marked", markPending)
    .selectFrom("written")
    .select(["revision", "created"])
    .execute();
}

/** Notes that the text of what was written is to be indexed. */
function markPending(db: QueryCreator<Tables & { written: { uuid: string } }>) {
  return db
    .insertInto("vconductor.vcon_text_pending")
    .columns(["uuid"])
    .expression((eb) => eb.selectFrom("written").select("written.uuid").orderBy("written.uuid"))
    .onConflict((conflict) => conflict.doNothing());
}

// A row that this statement inserted has no earlier version (xmax 0).
const created: RawBuilder<boolean> = sql<boolean>`vcon.xmax = 0`;

/** Inserts or replaces; the results are in the order of the writes. */
async function upsert(db: Executor, writes: readonly VconWrite[]): Promise<PutResult[]> {
  const rows = writes.map(toRow).sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  const results = await db
    .with("written", (query) =>
      query
        .insertInto("vconductor.vcon")
        .values(rows)
        .onConflict((conflict) =>
          conflict.column("uuid").doUpdateSet((eb) => ({
            form: eb.ref("excluded.form"),
            body: eb.ref("excluded.body"),
            subject: eb.ref("excluded.subject"),
            parties: eb.ref("excluded.parties"),
            created_at: eb.ref("excluded.created_at"),
            revision: sql<number>`vcon.revision + 1`,
            updated_at: sql<Date>`now()`,
          })),
        )
        .returning(["uuid", "revision", created.as("created")]),
    )
    .with("marked", markPending)
    .selectFrom("written")
    .select(["uuid", "revision", "created"])
    .execute();
  const byUuid = new Map(results.map((row) => [row.uuid, row]));
  return writes.map((write) => {
    const row = byUuid.get(write.uuid);
    if (row === undefined) throw new Error("an upsert answered without its row");
    return { revision: row.revision, created: row.created };
  });
}

function toRow(write: VconWrite): Insertable<VconTable> & { uuid: string } {
  const about = describe(write.value, write.form);
  return {
    uuid: write.uuid,
    form: write.form,
    body: write.body,
    subject: withoutNul(about.subject?.slice(0, 2000)) ?? null,
    parties: about.parties.map((party) => withoutNul(party) ?? ""),
    created_at: about.createdAt ?? new Date(),
  };
}

// PostgreSQL's text cannot hold U+0000. The body can: there it is the escape that JSON requires.
function withoutNul(text: string | undefined): string | undefined {
  return text?.replaceAll("\u0000", "");
}
