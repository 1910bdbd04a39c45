import { createHash } from "node:crypto";
import { Kysely, type Transaction as KyselyTransaction, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { VconductorError } from "../errors.ts";
import type { Service } from "../service.ts";
import type { Tables } from "./tables.ts";

export type Transaction = KyselyTransaction<Tables>;
/** What a query runs on: the database, or a transaction it joins. */
export type Executor = Kysely<Tables>;

/** One PostgreSQL database: a pool of connections, typed queries on it, and transactions. */
export class Database implements Service {
  readonly url: string;
  readonly db: Kysely<Tables>;
  readonly #pool: pg.Pool;
  #stopped = false;

  /**
   * @param options.poolSize most connections at once. Default: 10
   * @param options.durable whether a commit waits until it is on disk. Only for what may be lost: false. Default: true
   */
  constructor(options: {
    readonly url: string;
    readonly poolSize?: number;
    readonly application?: string;
    readonly durable?: boolean;
  }) {
    this.url = options.url;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      application_name: options.application ?? "vconductor",
      max: options.poolSize ?? 10,
      ...(options.durable === false ? { options: "-c synchronous_commit=off" } : {}),
      connectionTimeoutMillis: 5000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      types: { getTypeParser: typeParser },
    });
    // A connection that breaks while idle is replaced on the next query; the query paths report what matters.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => {
      // Nor may one that breaks while it is in use: its query, or the next one, says so.
      client.on("error", () => {});
      prepareStatements(client);
    });
    this.db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: this.#pool }) });
  }

  /** @throws database_unavailable when no connection can be made */
  async start(): Promise<void> {
    await guard(sql`select 1`.execute(this.db));
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.db.destroy();
  }

  /**
   * Runs `work` in one transaction: all of it is committed, or nothing.
   * @throws database_unavailable when the database went away; whether it committed is then unknown
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const hooks: (() => void)[] = [];
    const result = await guard(
      this.db.transaction().execute((tx) => {
        afterCommits.set(tx, hooks);
        return work(tx);
      }),
    );
    for (const hook of hooks) hook();
    return result;
  }

  /** Runs one query and turns a lost connection into `database_unavailable`. */
  run<Result>(query: (db: Executor) => Promise<Result>): Promise<Result> {
    return guard(query(this.db));
  }
}

const afterCommits = new WeakMap<Transaction, (() => void)[]>();

/** Has `hook` called once the transaction is committed; not at all if it is rolled back. */
export function afterCommit(tx: Transaction, hook: () => void): void {
  afterCommits.get(tx)?.push(hook);
}

async function guard<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new VconductorError("database_unavailable", "The database is not available; try again shortly", {
      cause: error,
      retryAfter: 1,
    });
  }
}

/** Whether the error means that the database is away (restarting, unreachable, out of connections). */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof VconductorError) return error.code === "database_unavailable";
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Class 08: connection; 57P01..57P05: shutdown, crash, starting up; 53300: too many connections.
  if (/^(08...|57P0[1-5]|53300)$/.test(code)) return true;
  if (/^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH)$/.test(code)) return true;
  return /connection terminated|timeout exceeded when trying to connect|not queryable|client was closed/i.test(
    error.message,
  );
}

const int8 = 20;

function typeParser(oid: number, format?: "text" | "binary"): unknown {
  if (oid === int8) return Number;
  return format === "binary" ? pg.types.getTypeParser(oid, "binary") : pg.types.getTypeParser(oid, "text");
}

/**
 * Names every parametrised statement, so that PostgreSQL parses and plans it once for a connection. Statements
 * that vary too much to be worth keeping (beyond the limit) stay unnamed.
 */
function prepareStatements(client: pg.PoolClient): void {
  const plain = client.query.bind(client);
  Object.assign(client, {
    query: (text: unknown, values?: unknown, callback?: unknown) => {
      if (
        typeof text !== "string" ||
        !Array.isArray(values) ||
        values.length === 0 ||
        callback !== undefined
      ) {
        return Reflect.apply(plain, client, [text, values, callback]);
      }
      const name = statementName(text);
      return plain(name === undefined ? { text, values } : { name, text, values });
    },
  });
}

const statementNames = new Map<string, string>();
const mostStatements = 500;

function statementName(text: string): string | undefined {
  const known = statementNames.get(text);
  if (known !== undefined || statementNames.size >= mostStatements) return known;
  const name = createHash("sha1").update(text).digest("base64url");
  statementNames.set(text, name);
  return name;
}
