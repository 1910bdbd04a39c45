import type { Viewer } from "../access/principal.ts";
import { VconductorError } from "../errors.ts";
import type { JobQueue, QueueInfo } from "./job-queue.ts";
import type { RemoteKind } from "./remote-jobs.ts";

/** The queue is there from now on. @throws invalid_options it is there, for other workers */
export async function ensureQueue(
  jobs: JobQueue,
  { name, kind, viewer }: { readonly name: string; readonly kind: RemoteKind; readonly viewer: Viewer },
): Promise<QueueInfo> {
  const look = () => jobs.getQueue(name, viewer);
  const queue = await look().catch(async (error: unknown) => {
    if (!(error instanceof VconductorError) || error.code !== "queue_not_found") throw error;
    // Somebody else may make it at the same moment.
    await jobs.createQueue({ name, kind, viewer }).catch(() => {});
    return await look();
  });
  if (queue.kind === kind) return queue;
  const text = `queue: ${name} is for workers of another kind (${queue.kind}): delete it, or name another one`;
  throw new VconductorError("invalid_options", text);
}

/** @param options.code of the error @throws queue_not_found, or an error of that code: it is for pipeline workers */
export async function requireRemoteQueue(
  jobs: JobQueue,
  {
    queue,
    viewer,
    code,
  }: {
    readonly queue: string;
    readonly viewer: Viewer;
    readonly code: "invalid_request" | "invalid_options";
  },
): Promise<void> {
  const { kind } = await jobs.getQueue(queue, viewer);
  if (kind === "remote") return;
  const text = `queue: ${queue} is for pipeline workers; one for remote workers is made with POST /queue/NAME?kind=remote`;
  throw new VconductorError(code, text);
}

/** Takes a job off its queue, or asks its worker to stop. One that has ended stays as it is. */
export async function cancelJob(
  jobs: JobQueue,
  { viewer, queue, jobId }: { readonly viewer: Viewer; readonly queue: string; readonly jobId: number },
): Promise<void> {
  try {
    await jobs.cancelWaiting({ viewer, queue, jobId });
  } catch (error) {
    if (!(error instanceof VconductorError) || error.code !== "job_not_found") throw error;
    for (const run of await jobs.listRuns({ viewer, job: jobId, active: true, limit: 1 })) {
      await jobs.requestCancel(run.id, viewer).catch(unlessEnded);
    }
  }
}

/** What has ended meanwhile need not be stopped. For `catch`. */
export function unlessEnded(error: unknown): void {
  const isEnded =
    error instanceof VconductorError && ["run_not_active", "run_not_found"].includes(error.code);
  if (!isEnded) throw error;
}
