import { describe } from "@vconductor/vcon";
import { type Insertable, type QueryCreator, type RawBuilder, sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { visible } from "../access/visible.ts";
import { Batch } from "../database/batch.ts";
import { afterCommit, type Database, type Executor, type Transaction } from "../database/database.ts";
import type { Tables, VconTable } from "../database/tables.ts";
import { VconductorError } from "../errors.ts";
import type { EventSink } from "../events.ts";
import { listVcons } from "./list.ts";
import type { TextIndex } from "./text-index.ts";
import { copyAccess, readAccess, writeAccess } from "./vcon-access.ts";
import type {
  Look,
  StoredVcon,
  VconAccess,
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
  readonly tenant: string;
  readonly restricted: boolean;
}

type OwnedWrite = VconWrite & { readonly viewer: Viewer };

/** The vCon store on PostgreSQL. Single reads and writes that arrive together share one statement. */
export class PostgresVconStore implements VconStore {
  readonly #database: Database;
  readonly #events: EventSink;
  readonly #textIndex: TextIndex;
  readonly #reads: Batch<{ readonly uuid: string; readonly look: Look }, StoredVcon | undefined>;
  readonly #writes: Batch<OwnedWrite, PutResult | undefined>;

  constructor(options: {
    readonly database: Database;
    readonly events: EventSink;
    readonly textIndex: TextIndex;
  }) {
    this.#database = options.database;
    this.#events = options.events;
    this.#textIndex = options.textIndex;
    this.#reads = new Batch(
      (wanted) =>
        perGroup(
          wanted,
          ({ look }) => `${look.to} ${eyesOf(look.viewer)}`,
          async (group, { look }) => {
            const found = await this.getMany(
              group.map(({ uuid }) => uuid),
              look,
            );
            return group.map(({ uuid }) => found.get(uuid));
          },
        ),
      { lanes: 2 },
    );
    this.#writes = new Batch((writes) => this.#database.run((db) => upsert(db, writes)), {
      key: (write) => write.uuid,
      lanes: 4,
      limit: 32,
    });
  }

  async get(uuid: string, look: Look): Promise<StoredVcon> {
    const stored = await this.#reads.add({ uuid, look });
    if (stored === undefined) throw vconNotFound(uuid);
    return stored;
  }

  async getMany(
    uuids: readonly string[],
    { viewer, to = "read" }: Look,
  ): Promise<ReadonlyMap<string, StoredVcon>> {
    const { rows } = await this.#database.run((db) =>
      sql<StoredVcon>`
        select uuid, form, body, revision, generation from vconductor.vcon
        where uuid = any (${[...new Set(uuids)]}::text[]) and ${visible(viewer, to)}`.execute(db),
    );
    return new Map(rows.map((row) => [row.uuid, row]));
  }

  async put(given: VconWrite, { viewer, ...condition }: Parameters<VconStore["put"]>[1]) {
    const write = { ...given, viewer };
    const conditional = condition.ifMatch !== undefined || condition.ifAbsent === true;
    const result = conditional ? await this.#putIf(write, condition) : await this.#writes.add(write);
    if (result === undefined) throw notYours(write.uuid);
    this.#publish(write.uuid, result);
    const { revision, created } = result;
    return { revision, created };
  }

  async delete(uuid: string, { viewer, ...condition }: Parameters<VconStore["delete"]>[1]): Promise<boolean> {
    const deleted = await this.#database.transaction(async (tx) => {
      const current = await currentRevision(tx, { uuid, look: { viewer, to: "delete" } });
      checkCondition({ uuid, current, condition });
      if (current === undefined) return undefined;
      return await tx
        .deleteFrom("vconductor.vcon")
        .where("uuid", "=", uuid)
        .returning(["tenant", "restricted"])
        .executeTakeFirst();
    });
    if (deleted !== undefined) this.#events.publish({ type: "vcon.deleted", uuid, ...deleted });
    return deleted !== undefined;
  }

  async access(uuid: string, viewer: Viewer): Promise<VconAccess> {
    const access = await readAccess(this.#database, { uuid, viewer });
    if (access === undefined) throw vconNotFound(uuid);
    return access;
  }

  async setAccess(uuid: string, options: Parameters<VconStore["setAccess"]>[1]): Promise<void> {
    if (!(await writeAccess(this.#database, { uuid, ...options }))) throw vconNotFound(uuid);
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
    changes.forEach((change, index) => {
      if (results[index] === undefined) throw notYours(change.uuid);
    });
    await copyAccess(
      tx,
      changes.flatMap(({ uuid, stored, like }, index) =>
        stored === undefined && like !== undefined && results[index]?.created ? [{ uuid, like }] : [],
      ),
    );
    afterCommit(tx, () => {
      changes.forEach((change, index) => {
        const result = results[index];
        if (result !== undefined) this.#publish(change.uuid, result);
      });
    });
  }

  #publish(uuid: string, { revision, tenant, restricted }: PutResult): void {
    this.#events.publish({ type: "vcon.stored", uuid, revision, tenant, restricted });
  }

  async #putIf(write: OwnedWrite, condition: WriteCondition): Promise<PutResult | undefined> {
    return await this.#database.transaction(async (tx) => {
      // Two first writes of one uuid have no row to wait at: they take turns here.
      await sql`select pg_advisory_xact_lock(hashtextextended(${write.uuid}, 11))`.execute(tx);
      const look: Look = { viewer: write.viewer, to: "write" };
      const current = await currentRevision(tx, { uuid: write.uuid, look });
      checkCondition({ uuid: write.uuid, current, condition });
      if (!condition.ifAbsent) return (await upsert(tx, [write]))[0];
      const [result] = await insertNew(tx, write);
      if (result === undefined) throw mismatch(write.uuid, "exists already");
      return result;
    });
  }
}

function vconNotFound(uuid: string): VconductorError {
  return new VconductorError("vcon_not_found", `vCon UUID: ${uuid} not found`);
}

function notYours(uuid: string): VconductorError {
  const text = `vCon UUID: ${uuid} is that of a vCon which you may not write; choose another one`;
  return new VconductorError("forbidden", text);
}

/** What tells apart viewers who see different things. */
function eyesOf({ all, tenant, grantees, addsOnly }: Viewer): string {
  if (addsOnly === true) return `none ${tenant}`;
  return all ? "all" : JSON.stringify([tenant, ...grantees]);
}

/** Does the work for each group of items; `work` answers with one result per item of the group, in order. */
async function perGroup<Item, Result>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  work: (group: readonly Item[], first: Item) => Promise<readonly Result[]>,
): Promise<readonly (Result | undefined)[]> {
  const results = new Map<Item, Result | undefined>();
  for (const group of Map.groupBy(items, keyOf).values()) {
    const [first] = group;
    const done = first === undefined ? [] : await work(group, first);
    group.forEach((item, index) => {
      results.set(item, done[index]);
    });
  }
  return items.map((item) => results.get(item));
}

async function currentRevision(
  tx: Transaction,
  { uuid, look: { viewer, to = "read" } }: { readonly uuid: string; readonly look: Look },
): Promise<number | undefined> {
  const row = await tx
    .selectFrom("vconductor.vcon")
    .select("revision")
    .where("uuid", "=", uuid)
    .where(visible(viewer, to))
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

async function insertNew(tx: Transaction, write: OwnedWrite): Promise<PutResult[]> {
  return await tx
    .with("written", (db) =>
      db
        .insertInto("vconductor.vcon")
        .values(toRow(write))
        .onConflict((conflict) => conflict.doNothing())
        .returning(["uuid", "revision", "tenant", "restricted", created.as("created")]),
    )
    .with("marked", markPending)
    .selectFrom("written")
    .select(["revision", "created", "tenant", "restricted"])
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

/**
 * Inserts or replaces; the results are in the order of the writes. There is none for a vCon that its viewer may not
 * write.
 */
async function upsert(
  db: Executor,
  writes: readonly OwnedWrite[],
): Promise<readonly (PutResult | undefined)[]> {
  return await perGroup(
    writes,
    ({ viewer }) => eyesOf(viewer),
    (group, { viewer }) => upsertFor(db, { viewer, writes: group }),
  );
}

async function upsertFor(
  db: Executor,
  { viewer, writes }: { readonly viewer: Viewer; readonly writes: readonly OwnedWrite[] },
): Promise<readonly (PutResult | undefined)[]> {
  const rows = writes.map(toRow).sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  const results = await db
    .with("written", (query) =>
      query
        .insertInto("vconductor.vcon")
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column("uuid")
            .doUpdateSet((eb) => ({
              form: eb.ref("excluded.form"),
              body: eb.ref("excluded.body"),
              subject: eb.ref("excluded.subject"),
              parties: eb.ref("excluded.parties"),
              created_at: eb.ref("excluded.created_at"),
              revision: sql<number>`vcon.revision + 1`,
              updated_at: sql<Date>`now()`,
            }))
            .where(visible(viewer, "write")),
        )
        .returning(["uuid", "revision", "tenant", "restricted", created.as("created")]),
    )
    .with("marked", markPending)
    .selectFrom("written")
    .select(["uuid", "revision", "created", "tenant", "restricted"])
    .execute();
  const byUuid = new Map(results.map((row) => [row.uuid, row]));
  return writes.map((write) => byUuid.get(write.uuid));
}

function toRow(write: OwnedWrite): Insertable<VconTable> & { uuid: string } {
  const about = describe(write.value, write.form);
  return {
    uuid: write.uuid,
    form: write.form,
    body: write.body,
    subject: withoutNul(about.subject?.slice(0, 2000)) ?? null,
    parties: about.parties.map((party) => withoutNul(party) ?? ""),
    created_at: about.createdAt ?? new Date(),
    tenant: write.viewer.tenant,
  };
}

// PostgreSQL's text cannot hold U+0000. The body can: there it is the escape that JSON requires.
function withoutNul(text: string | undefined): string | undefined {
  return text?.replaceAll("\u0000", "");
}
