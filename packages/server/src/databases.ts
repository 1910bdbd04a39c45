import type { Config } from "./config.ts";
import { Database } from "./database/database.ts";
import { EmbeddedPostgres } from "./database/embedded.ts";
import { checkSchema, migrate } from "./database/migrate.ts";
import { retryWhileAway } from "./database/retry.ts";
import { type Scheme, schemes } from "./database/schemes.ts";
import type { Service } from "./service.ts";
import { StartupError } from "./startup-error.ts";
import type { StoreUrls } from "./stores.ts";

/** Turns the address in a setting into one that can be connected to. */
type Backend = (options: {
  readonly url: string;
  readonly log: (line: string) => void;
}) => Service & { url(): string };

/** What each URL scheme of a database setting is bound to. Another backend is bound by an entry in `schemes` and here. */
const backends: Readonly<Record<Scheme, Backend>> = {
  embedded: ({ url, log }) => new EmbeddedPostgres({ directory: url.slice("embedded:".length), log }),
  postgres: ({ url }) => given(url),
  postgresql: ({ url }) => given(url),
};

function schemeOf(url: string): Scheme {
  const name = url.slice(0, url.indexOf(":")).toLowerCase();
  const scheme = schemes.find((known) => known === name);
  if (scheme === undefined) throw new Error("the settings were checked against other schemes");
  return scheme;
}

function given(url: string): Service & { url(): string } {
  return { start: async () => {}, stop: async () => {}, url: () => url };
}

/** The databases that the settings name, running and with an up-to-date schema. */
export class Databases implements Service {
  readonly #config: Config;
  readonly #log: (line: string) => void;
  readonly #running = new Map<string, Service & { url(): string }>();

  constructor(options: { readonly config: Config; readonly log: (line: string) => void }) {
    this.#config = options.config;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    const { storageUrl, queueUrl, pipelineUrl, stateUrl } = this.#config;
    for (const url of new Set([storageUrl, queueUrl, pipelineUrl, stateUrl])) {
      const database = backends[schemeOf(url)]({ url, log: this.#log });
      await database.start();
      this.#running.set(url, database);
    }
  }

  /** Brings the schemas up to date. Answers with the migrations applied, by setting's value. */
  async migrate(): Promise<readonly string[]> {
    const applied: string[] = [];
    await this.#each(async (database) => {
      applied.push(...(await migrate(database)));
    });
    return applied;
  }

  /** @throws StartupError when a schema is not up to date */
  checkSchemas(): Promise<void> {
    return this.#each(checkSchema);
  }

  get urls(): StoreUrls {
    const { storageUrl, queueUrl, pipelineUrl, stateUrl } = this.#config;
    const url = (setting: string) => this.#running.get(setting)?.url() ?? setting;
    return {
      vcons: url(storageUrl),
      queues: url(queueUrl),
      pipelines: url(pipelineUrl),
      state: url(stateUrl),
    };
  }

  async stop(): Promise<void> {
    for (const database of this.#running.values()) await database.stop();
    this.#running.clear();
  }

  async #each(work: (database: Database) => Promise<void>): Promise<void> {
    for (const running of this.#running.values()) {
      const database = new Database({ url: running.url(), poolSize: 2, application: "vconductor setup" });
      try {
        const giveUp = AbortSignal.timeout(30_000);
        await retryWhileAway(() => database.start(), { signal: giveUp });
        await work(database);
      } catch (error) {
        if (error instanceof StartupError) throw error;
        throw new StartupError(
          `A database cannot be used: ${reason(error)}`,
          "See that it runs, that the address, user and password in VCON_STORAGE_URL (and QUEUE_DB_URL, PIPELINE_DB_URL, STATE_DB_URL) are right, and that the user may create a schema.",
          { cause: error },
        );
      } finally {
        await database.stop();
      }
    }
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof AggregateError) return error.cause.errors.map(reason).join("; ");
  return error.cause instanceof Error ? reason(error.cause) : error.message;
}
