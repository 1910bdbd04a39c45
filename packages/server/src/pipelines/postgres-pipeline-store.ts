import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { channels, type Notifier } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { PipelineDefinition } from "./definition.ts";
import type { PipelineStore, StoredPipeline } from "./pipeline-store.ts";

export class PostgresPipelineStore implements PipelineStore {
  readonly #database: Database;
  readonly #notifier: Notifier;

  constructor(options: { readonly database: Database; readonly notifier: Notifier }) {
    this.#database = options.database;
    this.#notifier = options.notifier;
  }

  async put({ name, definition }: { readonly name: string; readonly definition: PipelineDefinition }) {
    const { rows } = await this.#database.run((db) =>
      sql<{ revision: number }>`
        insert into vconductor.pipeline (name, definition) values (${name}, ${JSON.stringify(definition)}::json)
        on conflict (name) do update
          set definition = excluded.definition, revision = pipeline.revision + 1, updated_at = now()
        returning revision`.execute(db),
    );
    // Jobs may have been waiting for the pipeline.
    this.#notifier.send(channels.jobs, name);
    return { revision: rows[0]?.revision ?? 1 };
  }

  async get(name: string): Promise<StoredPipeline> {
    const { rows } = await this.#database.run((db) =>
      sql<StoredPipeline>`select name, definition, revision from vconductor.pipeline where name = ${name}`.execute(
        db,
      ),
    );
    const [row] = rows;
    if (row === undefined) throw pipelineNotFound(name);
    return row;
  }

  async delete(name: string): Promise<void> {
    const gone = await this.#database.run((db) =>
      db.deleteFrom("vconductor.pipeline").where("name", "=", name).returning("name").executeTakeFirst(),
    );
    if (gone === undefined) throw pipelineNotFound(name);
  }

  async list(): Promise<readonly string[]> {
    const rows = await this.#database.run((db) =>
      db.selectFrom("vconductor.pipeline").select("name").orderBy("name").execute(),
    );
    return rows.map((row) => row.name);
  }
}

function pipelineNotFound(name: string): VconductorError {
  return new VconductorError("pipeline_not_found", `pipeline: ${name} not found`);
}
