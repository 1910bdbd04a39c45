import { readVcon, searchText, migrate as toNewest } from "@vconductor/vcon";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { Repetition } from "../repetition.ts";
import type { Service } from "../service.ts";

const groupSize = 50;
// A search waits for at most this many vCons to be indexed; a longer backlog is left to the background.
const mostOnDemand = 2000;
// Above this share of its time the process counts as busy, and the index waits longer between groups.
const busyShare = 0.3;
const restWhenIdle = 1;
const restWhenBusy = 30;

/**
 * The full-text index. Writing a vCon only marks it; its text is indexed soon after in the background, or at once
 * when somebody searches: so that storing stays fast. While the server is busy the background takes little of its
 * time, and catches up later.
 */
export class TextIndex implements Service {
  readonly #database: Database;
  readonly #intervalMs: number;
  readonly #repetition: Repetition;
  #measured = performance.eventLoopUtilization();

  /** @param options.intervalMs pause between looks for unindexed vCons. Default: 2000 */
  constructor(options: { readonly database: Database; readonly intervalMs?: number }) {
    this.#database = options.database;
    this.#intervalMs = options.intervalMs ?? 2000;
    this.#repetition = new Repetition({
      work: () => this.#tick(),
      // The database is away: the next look finds what is left.
      failed: () => {},
      everyMs: this.#intervalMs,
    });
  }

  async start(): Promise<void> {
    await this.#repetition.start();
  }

  async stop(): Promise<void> {
    await this.#repetition.stop();
  }

  /** Indexes what is not yet indexed, so that a search that follows finds what was stored before it. */
  async catchUp(): Promise<void> {
    for (let done = 0; done < mostOnDemand; done += groupSize) {
      if ((await this.#group()) < groupSize) return;
    }
  }

  async #tick(): Promise<number> {
    const begun = performance.now();
    const indexed = await this.#group();
    const { utilization } = performance.eventLoopUtilization(this.#measured);
    this.#measured = performance.eventLoopUtilization();
    const rest = (performance.now() - begun) * (utilization > busyShare ? restWhenBusy : restWhenIdle);
    return indexed === groupSize ? rest : this.#intervalMs;
  }

  /** Indexes one group; answers with how many were in it. */
  async #group(): Promise<number> {
    return await this.#database.transaction(async (tx) => {
      const { rows } = await sql<{ uuid: string; body: string | null; form: string | null }>`
        with taken as (
          delete from vconductor.vcon_text_pending where uuid in (
            select uuid from vconductor.vcon_text_pending limit ${groupSize} for update skip locked)
          returning uuid
        )
        select taken.uuid, vcon.body, vcon.form from taken left join vconductor.vcon on vcon.uuid = taken.uuid
        order by taken.uuid`.execute(tx);
      // Some may have been deleted since.
      const present = rows.flatMap(({ uuid, body, form }) => (body === null ? [] : [{ uuid, body, form }]));
      if (present.length === 0) return rows.length;
      const uuids = present.map((row) => row.uuid);
      const texts = present.map((row) => (row.form === "unsigned" ? textOf(row.body) : ""));
      await sql`
        insert into vconductor.vcon_text (uuid, search)
        select u, to_tsvector('simple', t) from unnest(${uuids}::text[], ${texts}::text[]) as given (u, t)
        where exists (select 1 from vconductor.vcon where vcon.uuid = u for key share)
        on conflict (uuid) do update set search = excluded.search`.execute(tx);
      return rows.length;
    });
  }
}

function textOf(body: string): string {
  return searchText(toNewest(readVcon(body, { maxDepth: Number.POSITIVE_INFINITY }).value));
}
