import type { BenchServer } from "./server.ts";

export interface Run {
  readonly jobId: number;
  readonly outcome: string | undefined;
  /** Milliseconds since 1970, by the database's clock, which is this machine's. */
  readonly claimedAt: number;
  readonly finishedAt: number;
}

/** The runs of a queue, newest first: of one job, or only those under way, where the filter says so. */
export async function listRuns(
  server: BenchServer,
  filter: { readonly queue: string; readonly job?: number; readonly active?: boolean },
): Promise<readonly Run[]> {
  const { queue, job, active } = filter;
  const runs: Run[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page = new URLSearchParams({ queue, limit: "1000" });
    if (job !== undefined) page.set("job", String(job));
    if (active !== undefined) page.set("active", String(active));
    if (cursor !== "") page.set("cursor", cursor);
    const answer = await server.call("GET", `/runs?${page}`);
    if (!isPage(answer)) throw new Error("GET /runs gave something else than a list of runs");
    runs.push(...answer.runs.map(toRun));
    cursor = answer.next ?? undefined;
  }
  return runs;
}

interface RunJson {
  readonly job_id: number;
  readonly outcome: string | null;
  readonly claimed_at: string;
  readonly finished_at: string | null;
}

function isPage(
  value: unknown,
): value is { readonly runs: readonly RunJson[]; readonly next: string | null } {
  return (
    typeof value === "object" &&
    value !== null &&
    "runs" in value &&
    Array.isArray(value.runs) &&
    value.runs.every(isRun) &&
    "next" in value &&
    (value.next === null || typeof value.next === "string")
  );
}

function isRun(value: unknown): value is RunJson {
  return (
    typeof value === "object" &&
    value !== null &&
    "job_id" in value &&
    "outcome" in value &&
    "claimed_at" in value
  );
}

function toRun(run: RunJson): Run {
  return {
    jobId: run.job_id,
    outcome: run.outcome ?? undefined,
    claimedAt: Date.parse(run.claimed_at),
    finishedAt: run.finished_at === null ? Number.NaN : Date.parse(run.finished_at),
  };
}
