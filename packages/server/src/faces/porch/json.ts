import type { ClaimedTask, LedgerPipeline, Task } from "../../ledger/ledger.ts";

/** With these keys, in this order, and no others: a client compares it as a whole. */
export function pipelineJson({ name, uri, version }: LedgerPipeline) {
  return { name, uri, version };
}

/** A task as JSON text: its input is spelled as it was given. @param more further members, as JSON */
export function taskText(task: Task, more: Readonly<Record<string, unknown>> = {}): string {
  const { pipeline, inputId, input, state } = task;
  const further = Object.entries(more).map(
    ([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  return `{"pipeline":${JSON.stringify(pipelineJson(pipeline))},"task_input_id":"${inputId}","task_input":${input},"status":"${state}"${further.join("")}}`;
}

export function tasksText<One extends Task>(
  tasks: readonly One[],
  more?: (task: One) => Readonly<Record<string, unknown>>,
): string {
  return `[${tasks.map((task) => taskText(task, more?.(task))).join(",")}]`;
}

/** What whoever claims for a time must know. */
export function claimed({ claim, leaseUntil }: ClaimedTask) {
  return { claim, lease_until: leaseUntil };
}

/** What the views show beside a task: with a no-break space, as npg_porch has it. */
export function expanded({ createdAt, updatedAt }: Task) {
  return { created: dateText(createdAt), updated: dateText(updatedAt) };
}

/** All there is to know of a task. */
export function detailed({ createdAt, updatedAt, progress, message }: Task) {
  return { created: createdAt, updated: updatedAt, progress, message };
}

function dateText(date: Date): string {
  return date.toISOString().slice(0, 19).replace("T", "\u00a0");
}
