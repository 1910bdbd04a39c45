import { readVcon, searchText, migrate as toNewest } from "@vconductor/vcon";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Service } from "../service.ts";

const groupSize = 100;
// A search waits for at most this many vCons to be indexed; a longer backlog is left to the background.
const mostOnDemand = 2000;

/**
 * The full-text index. Writing a vCon only marks it; its text is indexed soon after in the background, at most
 * a quarter of the time, or at once when somebody searches: so that storing stays fast.
 */
export class TextIndex implements Service {
  readonly #database: Database;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<number> | undefined;
  #stopped = true;

  /** @param options.intervalMs pause between looks for unindexed vCons. Default: 2000 */
  constructor(options: { readonly database: Database; readonly intervalMs?: number }) {
    this.#database = options.database;
    this.#intervalMs = options.intervalMs ?? 2000;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#schedule(this.#intervalMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working?.catch(() => {});
  }

  /** Indexes what is not yet indexed, so that a search that follows finds what was stored before it. */
  async catchUp(): Promise<void> {
    for (let done = 0; done < mostOnDemand; done += groupSize) {
      if ((await this.#group()) < groupSize) return;
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#tick(), delayMs);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    const begun = performance.now();
    let indexed = 0;
    try {
      this.#working = this.#group();
      indexed = await this.#working;
    } catch {
      // The database is away, or another server indexed the same rows: the next look finds what is left.
    } finally {
      this.#working = undefined;
    }
    this.#schedule(indexed === groupSize ? 3 * (performance.now() - begun) : this.#intervalMs);
  }

  /** Indexes one group; answers with how many were in it. */
  async #group(): Promise<number> {
    return await this.#database.transaction(async (tx) => {
      const { rows } = await sql<{ uuid: string; body: string; form: string }>`
        select uuid, body, form from vconductor.vcon where not text_indexed
        order by uuid limit ${groupSize} for no key update skip locked`.execute(tx);
      if (rows.length === 0) return 0;
      const uuids = rows.map((row) => row.uuid);
      const texts = rows.map((row) => (row.form === "unsigned" ? textOf(row.body) : ""));
      await sql`
        insert into vconductor.vcon_text (uuid, search)
        select u, to_tsvector('simple', t) from unnest(${uuids}::text[], ${texts}::text[]) as given (u, t)
        on conflict (uuid) do update set search = excluded.search`.execute(tx);
      await sql`update vconductor.vcon set text_indexed = true where uuid = any (${uuids}::text[])`.execute(
        tx,
      );
      return rows.length;
    });
  }
}

function textOf(body: string): string {
  return searchText(toNewest(readVcon(body).value)).replaceAll("\u0000", " ");
}
