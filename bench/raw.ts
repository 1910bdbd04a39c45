import pg from "pg";
import { DocumentMaker } from "./document.ts";

const table = "bench_raw";

export interface RawSpeed {
  readonly insertsPerSecond: number;
  readonly selectsPerSecond: number;
}

/**
 * What the same PostgreSQL does with the same bodies through the same driver and nothing around it: single-row
 * statements, prepared, each its own transaction, on a table of a key and a body.
 */
export class RawDatabase {
  readonly #clients: readonly pg.Client[];
  readonly #documents = new DocumentMaker();
  readonly #uuids: string[] = [];

  private constructor(clients: readonly pg.Client[]) {
    this.#clients = clients;
  }

  static async open(options: { readonly url: string; readonly connections: number }): Promise<RawDatabase> {
    const clients = Array.from({ length: options.connections }, () => {
      const client = new pg.Client({ connectionString: options.url, application_name: "bench raw" });
      // The query under way rejects as well; without a listener the event would end the process.
      client.on("error", () => {});
      return client;
    });
    await Promise.all(clients.map((client) => client.connect()));
    const raw = new RawDatabase(clients);
    await raw.query(`create table ${table} (uuid text primary key, body text not null)`);
    await raw.query(`alter table ${table} alter column body set storage external`);
    return raw;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }

  /** Rows of any statement. */
  async query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = await this.#clients[0]?.query<Readonly<Record<string, unknown>>>(text);
    return result?.rows ?? [];
  }

  async measure(options: { readonly durationMs: number; readonly signal: AbortSignal }): Promise<RawSpeed> {
    const insertsPerSecond = await this.#loop(options, async (client) => {
      const { uuid, body } = this.#documents.next();
      await client.query({
        name: "insert",
        text: `insert into ${table} (uuid, body) values ($1, $2)`,
        values: [uuid, body],
      });
      this.#uuids.push(uuid);
    });
    const selectsPerSecond = await this.#loop(options, async (client) => {
      const uuid = this.#uuids[Math.floor(Math.random() * this.#uuids.length)];
      const { rowCount } = await client.query({
        name: "select",
        text: `select body from ${table} where uuid = $1`,
        values: [uuid],
      });
      if (rowCount !== 1) throw new Error(`the row of ${uuid} is not there`);
    });
    return { insertsPerSecond, selectsPerSecond };
  }

  async #loop(
    options: { readonly durationMs: number; readonly signal: AbortSignal },
    once: (client: pg.Client) => Promise<void>,
  ): Promise<number> {
    const begun = performance.now();
    let count = 0;
    const lane = async (client: pg.Client): Promise<void> => {
      while (performance.now() - begun < options.durationMs) {
        options.signal.throwIfAborted();
        await once(client);
        count++;
      }
    };
    await Promise.all(this.#clients.map(lane));
    return (count / (performance.now() - begun)) * 1000;
  }
}
