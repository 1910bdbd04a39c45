import { sql } from "kysely";
import type { Executor } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import { type Task, type TaskKey, taskStates } from "./ledger.ts";

/** A task with its pipeline, as `columns` select it. */
export interface TaskRow {
  readonly id: number;
  readonly pipeline_id: number;
  readonly name: string;
  readonly uri: string;
  readonly version: string;
  readonly input_id: string;
  readonly input: string;
  readonly state: string;
  readonly position: number;
  readonly run_id: number | null;
  readonly claim: number | null;
  readonly claimed_by: number | null;
  readonly lease_ms: number | null;
  readonly progress: number | null;
  readonly message: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** Of `vconductor.task t` and `vconductor.porch_pipeline p`. */
export const columns = sql`t.id, t.pipeline_id, p.name, p.uri, p.version, encode(t.input_id, 'hex') as input_id, t.input, t.state,
  t.position, t.run_id, t.claim, t.claimed_by, t.lease_ms, t.progress, t.message, t.created_at, t.updated_at`;
export const tasks = sql`vconductor.task t join vconductor.porch_pipeline p on p.id = t.pipeline_id`;

/** @throws not_found in the words of `missing` */
export async function taskRow(
  db: Executor,
  { pipeline, inputId }: TaskKey,
  missing = "Task not found",
): Promise<TaskRow> {
  const { rows } = await sql<TaskRow>`select ${columns} from ${tasks}
    where t.pipeline_id = ${pipeline.id} and t.input_id = decode(${inputId}, 'hex')`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new VconductorError("not_found", missing);
  return row;
}

export function toTask(row: TaskRow): Task {
  const state = taskStates.find((known) => known === row.state);
  if (state === undefined) throw new Error(`a task is in no known state: ${row.state}`);
  return {
    id: row.id,
    pipeline: { id: row.pipeline_id, name: row.name, uri: row.uri, version: row.version },
    inputId: row.input_id,
    input: row.input,
    state,
    progress: row.progress,
    message: row.message,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
