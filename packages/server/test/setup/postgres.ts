import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { EmbeddedPostgres } from "../../src/database/embedded.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The address of the run's PostgreSQL. Tests make their own databases on it: see `database.ts`. */
    readonly postgresUrl: string;
  }
}

/**
 * One embedded PostgreSQL for the whole run, in a directory of its own. It is deleted at the end; with
 * KEEP_DATABASE=1 the directory stays, to be looked into.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "vconductor-test-"));
  const postgres = new EmbeddedPostgres({ directory, log: (line) => console.error(line) });
  try {
    await postgres.start();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const url = postgres.url();
  project.provide("postgresUrl", url);
  return async () => {
    await endConnections(url);
    await postgres.stop();
    if (process.env.KEEP_DATABASE === "1") console.error(`The tests' PostgreSQL is kept in ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  };
}

/** A PostgreSQL that servers are connected to is not stopped, so what a killed test left behind must go first. */
async function endConnections(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
  } finally {
    await client.end();
  }
}
