import { sql } from "kysely";
import type { Viewer } from "../access/principal.ts";
import { own, usable } from "../access/visible.ts";
import type { Database } from "../database/database.ts";
import { channels, type Notifier } from "../database/notifier.ts";
import { VconductorError } from "../errors.ts";
import type { PipelineStore, StoredPipeline } from "./pipeline-store.ts";

export class PostgresPipelineStore implements PipelineStore {
  readonly #database: Database;
  readonly #notifier: Notifier;

  constructor(options: { readonly database: Database; readonly notifier: Notifier }) {
    this.#database = options.database;
    this.#notifier = options.notifier;
  }

  async put({ name, definition, viewer }: Parameters<PipelineStore["put"]>[0]) {
    const { rows } = await this.#database.run((db) =>
      sql<{ revision: number }>`
        insert into vconductor.pipeline (name, definition, tenant)
        values (${name}, ${JSON.stringify(definition)}::json, ${viewer.tenant})
        on conflict (name) do update
          set definition = excluded.definition, revision = pipeline.revision + 1, updated_at = now()
          where ${viewer.all} or pipeline.tenant = ${viewer.tenant}
        returning revision`.execute(db),
    );
    if (rows.length === 0) throw anothers(name);
    // Jobs may have been waiting for the pipeline.
    this.#notifier.send(channels.jobs, name);
    return { revision: rows[0]?.revision ?? 1 };
  }

  async get(name: string, viewer: Viewer): Promise<StoredPipeline> {
    const { rows } = await this.#database.run((db) =>
      sql<StoredPipeline>`
        select name, definition, revision, tenant from vconductor.pipeline
        where name = ${name} and ${usable(viewer)}`.execute(db),
    );
    const [row] = rows;
    if (row === undefined) throw pipelineNotFound(name);
    return row;
  }

  async delete(name: string, viewer: Viewer): Promise<void> {
    const gone = await this.#database.run((db) =>
      db
        .deleteFrom("vconductor.pipeline")
        .where("name", "=", name)
        .where(own(viewer))
        .returning("name")
        .executeTakeFirst(),
    );
    if (gone !== undefined) return;
    await this.get(name, viewer);
    throw anothers(name);
  }

  async list(viewer: Viewer): Promise<readonly string[]> {
    const rows = await this.#database.run((db) =>
      db.selectFrom("vconductor.pipeline").select("name").where(usable(viewer)).orderBy("name").execute(),
    );
    return rows.map((row) => row.name);
  }
}

function anothers(name: string): VconductorError {
  return new VconductorError("forbidden", `pipeline: ${name} is another tenant's; choose another name`);
}

function pipelineNotFound(name: string): VconductorError {
  return new VconductorError("pipeline_not_found", `pipeline: ${name} not found`);
}
