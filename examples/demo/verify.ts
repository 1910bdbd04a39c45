import type { Run } from "./api.ts";
import type { Changes } from "./changes.ts";
import { analyses, attachments, expectations } from "./expectations.ts";
import type { Sample } from "./samples.ts";

/** What became of a sample. */
export interface Result {
  readonly sample: Sample;
  /** Its runs in this demo, oldest first. */
  readonly runs: readonly Run[];
  readonly changes: Changes;
}

/** Everything that did not come out as it should, in words. */
export function findFaults(results: readonly Result[]): readonly string[] {
  return results.flatMap((result) => faultsOf(result).map((fault) => `${result.sample.file}: ${fault}`));
}

function faultsOf({ sample, runs, changes }: Result): readonly string[] {
  const expected = expectations[sample.file];
  const faults = runs.filter((run) => run.outcome !== "done").map(describeRun);
  const pipelines = runs.map((run) => run.queue);
  const usual = ["insights", "care", "rehearsal", ...(pipelines.includes("triage") ? ["triage"] : [])];
  const wanted = expected?.pipelines ?? usual;
  for (const pipeline of new Set([...wanted, ...pipelines])) {
    const times = pipelines.filter((name) => name === pipeline).length;
    const should = wanted.includes(pipeline) ? 1 : 0;
    if (times !== should)
      faults.push(`ran ${count(times)} through ${pipeline}; it should have ${count(should)}`);
  }
  const tags = expected?.tags ?? (changes.tags.includes("measured") ? changes.tags : ["measured"]);
  return [
    ...faults,
    ...difference("analyses", analyses, changes.analyses),
    ...difference("attachments", attachments, changes.attachments),
    ...difference("tags", tags, changes.tags),
    ...difference(
      "recordings moved out",
      [String(expected?.moved ?? changes.moved)],
      [String(changes.moved)],
    ),
  ];
}

function describeRun(run: Run): string {
  const why = run.error === undefined ? "" : `: ${run.error}`;
  return `run ${run.id} of ${run.queue} came out as ${run.outcome ?? "still running"}${why}`;
}

function difference(what: string, expected: readonly string[], found: readonly string[]): readonly string[] {
  if (expected.toSorted().join() === found.toSorted().join()) return [];
  return [`${what}: ${found.join(", ") || "none"}; expected: ${expected.join(", ") || "none"}`];
}

function count(times: number): string {
  return times === 0 ? "not at all" : times === 1 ? "once" : `${times} times`;
}
