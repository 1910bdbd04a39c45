import { type Config, readConfig } from "./config.ts";
import { Database } from "./database/database.ts";
import { Databases } from "./databases.ts";
import type { StoreUrls } from "./stores.ts";

/**
 * Does something with one of the databases that the settings name, for a command: also with the embedded one, beside a
 * server that runs or without it. The schema is brought up to date first, as a server would.
 *
 * @throws StartupError the database cannot be used
 */
export async function withDatabase<Result>(
  which: keyof StoreUrls,
  act: (database: Database, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = readConfig(process.env);
  const databases = new Databases({ config, log: (line) => process.stderr.write(`${line}\n`) });
  try {
    await databases.start();
    if (config.migrate) await databases.migrate();
    else await databases.checkSchemas();
    const database = new Database({
      url: databases.urls[which],
      poolSize: 2,
      application: "vconductor command",
    });
    try {
      return await act(database, config);
    } finally {
      await database.stop();
    }
  } finally {
    await databases.stop();
  }
}
