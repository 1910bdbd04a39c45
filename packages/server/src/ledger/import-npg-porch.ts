import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { copyTasks } from "./import-tasks.ts";
import { type Ledger, taskStates } from "./ledger.ts";
import { type NpgPorch, type SourceTask, withNpgPorch } from "./npg-porch-source.ts";
import { hashOf } from "./postgres-ledger.ts";
import { inputIdOf } from "./task-identity.ts";

export interface Imported {
  readonly pipelines: number;
  readonly tokens: number;
  /** Those that were not here before. */
  readonly tasks: number;
  readonly events: number;
  /** Those that were here before, to which nothing had happened here, and which have another state by now. */
  readonly updated: number;
  /** Those that changed there since, and here as well, and stay as they are here: one sentence each. */
  readonly left: readonly string[];
  /** Why tasks are not copied: one sentence each. */
  readonly skipped: readonly string[];
}

/**
 * Copies pipelines, tokens, tasks and their history out of the database of an npg_porch. It can be done again: what has
 * been added meanwhile comes, and what has another state by now gets it, unless something happened to it here.
 *
 * @param options.source its postgres:// address
 * @param options.schema where its tables are. Default: npg_porch
 * @throws bad_request the source cannot be read
 */
export async function importNpgPorch(options: {
  readonly source: string;
  readonly schema?: string;
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly ledger: Ledger;
  readonly onProgress?: (tasks: number) => void;
}): Promise<Imported> {
  const { database, jobs, ledger, onProgress } = options;
  return await withNpgPorch(
    { url: options.source, schema: options.schema ?? "npg_porch" },
    async (source) => {
      const pipelines = await copyPipelines(source);
      const tokens = await copyTokens(source, pipelines.known);
      let [tasks, events, updated] = [0, 0, 0];
      const [left, skipped]: [string[], string[]] = [[], []];
      for await (const { rows, history } of source.tasks()) {
        const good = rows.flatMap((row) => {
          const task = toTask(row, pipelines.known);
          if (typeof task !== "string") return [task];
          skipped.push(`task ${row.task_id}: ${task}`);
          return [];
        });
        const done = await database.transaction((tx) =>
          copyTasks(tx, { jobs, tasks: good, history, tokens: tokens.ids }),
        );
        tasks += done.tasks;
        events += done.events;
        updated += done.updated;
        left.push(...done.left);
        onProgress?.(tasks);
      }
      return { pipelines: pipelines.added, tokens: tokens.added, tasks, events, updated, left, skipped };
    },
  );

  async function copyPipelines(source: NpgPorch) {
    const known = new Map<number, { readonly id: number; readonly name: string }>();
    let added = 0;
    for (const { id, ...pipeline } of await source.pipelines()) {
      const here = await ledger.getPipeline(pipeline.name).catch(() => undefined);
      if (here === undefined) added += 1;
      known.set(id, here ?? (await ledger.addPipeline(pipeline)));
    }
    return { known, added };
  }

  async function copyTokens(source: NpgPorch, pipelines: ReadonlyMap<number, { readonly id: number }>) {
    const ids = new Map<number, number>();
    let added = 0;
    for (const row of await source.tokens()) {
      const { id, is_new } = await database.run((db) =>
        db
          .insertInto("vconductor.porch_token")
          .values({
            hash: hashOf(row.token),
            description: row.description,
            pipeline_id: row.pipeline_id === null ? null : (pipelines.get(row.pipeline_id)?.id ?? null),
            issued_at: row.issued,
            revoked_at: row.revoked ? new Date() : null,
          })
          // One that has been revoked there is not to stay good here.
          .onConflict((conflict) =>
            conflict.column("hash").doUpdateSet((eb) => ({
              revoked_at: eb.fn.coalesce("vconductor.porch_token.revoked_at", "excluded.revoked_at"),
            })),
          )
          .returning(["id", sql<boolean>`xmax = 0`.as("is_new")])
          .executeTakeFirstOrThrow(),
      );
      if (is_new) added += 1;
      ids.set(row.id, id);
    }
    return { ids, added };
  }
}

/** The task as it is here; or why it cannot be: npg_porch takes what breaks its own lists, and hands write into it. */
function toTask(
  { task_id, pipeline_id, job_descriptor, definition, state, created, updated, last_event }: SourceTask,
  pipelines: ReadonlyMap<number, { readonly id: number; readonly name: string }>,
) {
  const pipeline = pipeline_id === null ? undefined : pipelines.get(pipeline_id);
  if (pipeline === undefined) return "it has no pipeline";
  if (definition === null || !/^\s*\{/.test(definition)) return "its definition is no JSON object";
  // Nobody could change it: changes name the input.
  if (job_descriptor !== inputIdOf(definition)) return "its job_descriptor is not the id of its definition";
  if (!taskStates.some((known) => known === state)) return `its state is ${state ?? "null"}`;
  return {
    source: task_id,
    name: pipeline.name,
    pipeline_id: pipeline.id,
    input_id: job_descriptor,
    input: definition,
    state,
    created_at: created,
    updated_at: updated,
    last_event,
  };
}
