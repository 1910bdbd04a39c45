import type { Viewer } from "../../access/principal.ts";
import type { Database } from "../../database/database.ts";

/** What modules of the clients look up, by tenant. */
export class ModuleData {
  readonly #database: Database;

  /** @param database of the queues */
  constructor(database: Database) {
    this.#database = database;
  }

  /** @param value JSON */
  async put(viewer: Viewer, { module, name, value }: Place & { readonly value: string }): Promise<void> {
    await this.#database.run((db) =>
      db
        .insertInto("vconductor.module_data")
        .values({ tenant: viewer.tenant, module, name, value })
        .onConflict((conflict) =>
          conflict.columns(["tenant", "module", "name"]).doUpdateSet({ value, updated_at: new Date() }),
        )
        .execute(),
    );
  }

  /** @returns JSON */
  async get(viewer: Viewer, { module, name }: Place): Promise<string | undefined> {
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.module_data")
        .select("value")
        .where("tenant", "=", viewer.tenant)
        .where("module", "=", module)
        .where("name", "=", name)
        .executeTakeFirst(),
    );
    return row?.value;
  }

  async delete(viewer: Viewer, { module, name }: Place): Promise<boolean> {
    const row = await this.#database.run((db) =>
      db
        .deleteFrom("vconductor.module_data")
        .where("tenant", "=", viewer.tenant)
        .where("module", "=", module)
        .where("name", "=", name)
        .returning("name")
        .executeTakeFirst(),
    );
    return row !== undefined;
  }
}

interface Place {
  readonly module: string;
  readonly name: string;
}
