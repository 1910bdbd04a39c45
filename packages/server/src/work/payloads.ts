import type { JsonValue } from "@vconductor/vcon";
import { VconductorError } from "../errors.ts";
import type { RemoteJob, RemoteJobs, WorksFor } from "../jobs/remote-jobs.ts";
import type { JobValues } from "./job-values.ts";

interface Payloads {
  readonly values: JobValues;
  readonly remoteJobs: RemoteJobs;
  readonly by: WorksFor;
}

/**
 * What a job that was just claimed is about. One whose payload is lost fails at once, with that reason; one whose payload
 * cannot be read for now goes back to its queue.
 *
 * @throws not_found it has failed @throws provider_failed it went back
 */
export async function readPayload(
  { runId, payload }: RemoteJob,
  { values, remoteJobs, by }: Payloads,
): Promise<JsonValue> {
  try {
    return await values.read(payload);
  } catch (error) {
    if (error instanceof VconductorError && error.code === "not_found") {
      const { message } = error;
      await remoteJobs.fail({ runId, by, error: { code: "payload_lost", message }, retry: false });
    } else await remoteJobs.release({ runId, by, reason: "its payload cannot be read at the moment" });
    throw error;
  }
}

/** The jobs with their payloads, without those that failed here. @throws provider_failed none of them can be read now */
export async function withPayloads(
  jobs: readonly RemoteJob[],
  payloads: Payloads,
): Promise<readonly RemoteJob[]> {
  const read = await Promise.allSettled(
    jobs.map(async (job) => ({ ...job, payload: await readPayload(job, payloads) })),
  );
  const whole = read.filter((result) => result.status === "fulfilled").map(({ value }) => value);
  const passing = read.find(
    (result) =>
      result.status === "rejected" &&
      !(result.reason instanceof VconductorError && result.reason.code === "not_found"),
  );
  if (whole.length === 0 && passing?.status === "rejected") throw passing.reason;
  return whole;
}
