import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { everything, type Viewer } from "../../src/access/principal.ts";
import type { JobQueue, NewJob } from "../../src/jobs/job-queue.ts";
import type { RemoteJobs, WorksFor } from "../../src/jobs/remote-jobs.ts";
import type { RemoteWorkers } from "../../src/work/remote-workers.ts";
import type { JobQueueUnderTest } from "./job-queue.ts";

export interface RemoteJobsUnderTest extends JobQueueUnderTest {
  readonly remoteJobs: RemoteJobs;
  readonly remoteWorkers: RemoteWorkers;
}

/** What every implementation of `RemoteJobs` promises. `open` gives an empty one. */
export function describeRemoteJobs(name: string, open: () => Promise<RemoteJobsUnderTest>): void {
  describe(name, () => {
    let under: RemoteJobsUnderTest;
    let jobs: JobQueue;
    let remote: RemoteJobs;
    beforeEach(async () => {
      under = await open();
      jobs = under.jobs;
      remote = under.remoteJobs;
      await jobs.createQueue({ viewer, name: "q", kind: "remote" });
    });
    afterEach(() => under.close());

    const viewer = everything;
    const by: WorksFor = { kind: "remote", viewer };
    const add = (payload: unknown, more: Partial<NewJob> = {}) =>
      jobs.enqueue({ queue: "q", vconUuids: [], jobType: "work", payload, ...more });
    const usual = {
      kind: "remote",
      viewer,
      queue: "q",
      limit: 1,
      worker: "w",
      server: "s",
      leaseMs: 60_000,
    } as const;
    const claim = (more: Partial<Parameters<RemoteJobs["claim"]>[0]> = {}) =>
      remote.claim({ ...usual, ...more });
    const one = async (more: Partial<Parameters<RemoteJobs["claim"]>[0]> = {}) => {
      const [job] = await claim(more);
      if (job === undefined) throw new Error("nothing to claim");
      return job;
    };
    const complete = (runId: number, more: Partial<Parameters<RemoteJobs["complete"]>[0]> = {}) =>
      remote.complete({ runId, by, result: null, followUps: [], ...more });
    const outcomes = async () =>
      (await jobs.listRuns({ viewer, limit: 100 })).map((run) => run.outcome).toReversed();
    const recover = (more: { readonly reachableMs?: number } = {}) =>
      jobs.recover({
        ...more,
        reason: { code: "lease_expired", message: "no heartbeat" },
        crashLimit: 3,
        failureQueueOf: async () => undefined,
      });

    test("jobs are handed out once, in the order of their priority, then of their arrival", async () => {
      for (const n of [1, 2, 3]) await add({ n });
      await add({ n: 4 }, { priority: 1 });
      expect((await claim({ limit: 3 })).map((job) => job.payload)).toEqual([{ n: 4 }, { n: 1 }, { n: 2 }]);
      expect((await claim({ limit: 3 })).map((job) => job.payload)).toEqual([{ n: 3 }]);
      expect(await claim({ limit: 3 })).toEqual([]);
    });

    test("many claimers at once: no job twice, none left over", async () => {
      await under.transaction((tx) =>
        jobs.enqueueIn(
          tx,
          Array.from({ length: 200 }, (_, n) => ({ queue: "q", vconUuids: [], payload: n })),
        ),
      );
      const got: unknown[] = [];
      const worker = async (id: number) => {
        for (;;) {
          const claimed = await claim({ worker: `w${id}`, limit: 1 + (id % 4) });
          if (claimed.length === 0) return;
          for (const job of claimed) {
            got.push(job.payload);
            await complete(job.runId);
          }
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, id) => worker(id)));
      expect(got.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
      expect(await jobs.counts()).toEqual([]);
    });

    test("completing keeps the result and queues the follow-up jobs; saying it again changes nothing", async () => {
      await jobs.createQueue({ viewer, name: "next", kind: "remote" });
      await add("a");
      const { runId } = await one();
      await complete(runId, {
        result: { found: 1 },
        followUps: [{ queue: "next", vconUuids: ["u"], payload: 1 }],
      });
      await complete(runId, {
        result: "other",
        followUps: [{ queue: "next", vconUuids: ["u"], payload: 2 }],
      });
      expect(await jobs.getRun(runId, viewer)).toMatchObject({ outcome: "done", result: { found: 1 } });
      expect(await jobs.listWaiting({ viewer, queue: "next", offset: 0, limit: 9 })).toMatchObject([
        { payload: 1, originRun: null },
      ]);
    });

    test("a follow-up job for a queue that is missing: the run does not end, and others that end with it do", async () => {
      await add("a");
      await add("b");
      const [first, second] = await claim({ limit: 2 });
      const ended = await Promise.allSettled([
        complete(first?.runId ?? 0, { followUps: [{ queue: "none", vconUuids: [] }] }),
        complete(second?.runId ?? 0),
      ]);
      expect(ended).toMatchObject([{ reason: { code: "queue_not_found" } }, { status: "fulfilled" }]);
      expect(await outcomes()).toEqual([null, "done"]);
      await complete(first?.runId ?? 0);
      expect(await outcomes()).toEqual(["done", "done"]);
    });

    test("a failed job is tried again as its queue says, then fails for good", async () => {
      await jobs.changeQueue({ viewer, name: "q", attributes: { retry_limit: 1, retry_delay: 0 } });
      await add("a");
      const error = { code: "no_luck", message: "no luck" };
      const first = await one();
      expect(await remote.fail({ runId: first.runId, by, error, retry: true })).toBe("retry");
      expect(await remote.fail({ runId: first.runId, by, error, retry: true })).toBe("retry");
      await jobs.promoteScheduled();
      const second = await one();
      expect(second).toMatchObject({ jobId: first.jobId, attempt: 2 });
      expect(await remote.fail({ runId: second.runId, by, error, retry: true })).toBe("failed");
      expect(await jobs.listFailed({ viewer, queue: "q", after: 0, limit: 9 })).toMatchObject([
        { payload: "a", error: { code: "no_luck" } },
      ]);
      await add("b");
      const third = await one();
      expect(await remote.fail({ runId: third.runId, by, error, retry: false })).toBe("failed");
      await expect(complete(third.runId)).rejects.toMatchObject({ code: "run_not_active" });
    });

    test("one that failed for good goes to the failure queue where there is one", async () => {
      await jobs.createQueue({ viewer, name: "bad", kind: "remote" });
      await jobs.changeQueue({ viewer, name: "q", attributes: { retry_limit: 0, failure_queue: "bad" } });
      await add("a");
      const { runId } = await one();
      const error = { code: "no_luck", message: "no luck" };
      expect(await remote.fail({ runId, by, error, retry: true })).toBe("failed");
      expect(await one({ queue: "bad" })).toMatchObject({ payload: "a", jobType: "work" });
    });

    test("one that is handed back keeps its place and its attempts", async () => {
      await add("a");
      await add("b");
      const first = await one();
      expect(await remote.release({ runId: first.runId, by, reason: "I am tired" })).toBe("released");
      expect(await remote.release({ runId: first.runId, by, reason: "I am tired" })).toBe("released");
      expect(await one()).toMatchObject({ jobId: first.jobId, attempt: 1 });
    });

    test("a lease that runs out gives the job to another, and the first can do nothing with it any more", async () => {
      await add("a");
      const late = await one({ leaseMs: 0 });
      expect(await recover()).toEqual([late.runId]);
      const next = await one({ worker: "other" });
      expect(next).toMatchObject({ jobId: late.jobId, attempt: 1 });
      const gone = { code: "run_not_active" };
      await expect(complete(late.runId)).rejects.toMatchObject(gone);
      await expect(remote.heartbeat({ runId: late.runId, by, leaseMs: 1000 })).rejects.toMatchObject(gone);
      await expect(remote.release({ runId: late.runId, by, reason: "r" })).rejects.toMatchObject(gone);
      const error = { code: "c", message: "m" };
      await expect(remote.fail({ runId: late.runId, by, error, retry: true })).rejects.toMatchObject(gone);
      expect(await outcomes()).toEqual(["crashed", null]);
    });

    test("one that its workers die of fails in the end; what is kept elsewhere too waits again, however often", async () => {
      const kinds = ["sisyphus", "celery", "task"] as const;
      for (const kind of kinds) {
        await jobs.createQueue({ viewer, name: kind, kind });
        await add("a", { queue: kind });
      }
      await add("a");
      for (let time = 1; time <= 3; time++) {
        await one({ leaseMs: 0 });
        for (const kind of kinds) await one({ leaseMs: 0, queue: kind, kind });
        await recover();
      }
      expect(await claim()).toEqual([]);
      for (const kind of kinds)
        expect([kind, await claim({ queue: kind, kind })]).toMatchObject([kind, [{}]]);
    });

    test("one whose worker could not have been heard yet stays, until it has had a lease's time", async () => {
      await add("a");
      const { runId } = await one({ leaseMs: 60_000 });
      await remote.heartbeat({ runId, by, leaseMs: 0 });
      expect(await recover({ reachableMs: 59_999 })).toEqual([]);
      expect(await recover({ reachableMs: 60_000 })).toEqual([runId]);
    });

    test("of a dead worker's jobs, which it does side by side, none counts as not begun", async () => {
      await add("a");
      await add("b");
      for (let time = 1; time <= 3; time++) {
        await claim({ leaseMs: 0, limit: 2 });
        await recover();
      }
      expect(await outcomes()).toEqual(Array(6).fill("crashed"));
      expect(await jobs.listFailed({ viewer, queue: "q", after: 0, limit: 9 })).toHaveLength(2);
    });

    test("a lease without end stays, whatever housekeeping does", async () => {
      await add("a");
      await one({ leaseMs: undefined });
      expect(await recover()).toEqual([]);
    });

    test("heartbeats extend the lease, note the progress, and tell of a cancellation", async () => {
      await add("a");
      const { runId, leaseUntil } = await one({ leaseMs: 5000 });
      const beat = await remote.heartbeat({ runId, by, leaseMs: 60_000, progress: 41.6, message: "at it" });
      expect(beat).toMatchObject({ cancelRequested: false, drain: false });
      expect(beat.leaseUntil.getTime()).toBeGreaterThan(leaseUntil.getTime() + 50_000);
      await remote.heartbeat({ runId, by, leaseMs: 60_000 });
      expect(await jobs.getRun(runId, viewer)).toMatchObject({ progress: 42, message: "at it" });
      const broken = under.transaction(async (tx) => {
        await remote.heartbeatIn(tx, { runId, by, leaseMs: 60_000, progress: 99 });
        throw new Error("broken");
      });
      await expect(broken).rejects.toThrow("broken");
      expect(await jobs.getRun(runId, viewer)).toMatchObject({ progress: 42 });
      await under.transaction((tx) => remote.heartbeatIn(tx, { runId, by, leaseMs: 60_000, progress: 50 }));
      expect(await jobs.getRun(runId, viewer)).toMatchObject({ progress: 50, message: "at it" });
      const missing = under.transaction((tx) =>
        remote.heartbeatIn(tx, { runId: 999_999, by, leaseMs: 1000 }),
      );
      await expect(missing).rejects.toMatchObject({ code: "run_not_active" });
      await jobs.requestCancel(runId, viewer);
      expect(await remote.heartbeat({ runId, by, leaseMs: 1000 })).toMatchObject({ cancelRequested: true });
      expect(await remote.release({ runId, by, reason: "as asked" })).toBe("cancelled");
      expect(await outcomes()).toEqual(["cancelled"]);
      expect(await claim()).toEqual([]);
    });

    test("who attends keeps the run that it names, and those of its own that are young", async () => {
      for (const payload of ["named", "its own", "of another"]) await add(payload);
      const tenant = viewer.tenant;
      const { runId: named } = await one({ worker: "not yet known", leaseMs: 0 });
      const { runId: own } = await one({ leaseMs: 0 });
      const { runId: other } = await one({ worker: "v", leaseMs: 0 });
      const attend = (leaseMs: number, more: Partial<Parameters<RemoteJobs["attend"]>[0]> = {}) =>
        remote.attend({
          kind: "remote",
          viewer,
          worker: "w",
          runId: named,
          leaseMs,
          progress: 41.6,
          ...more,
        });
      for (const wrong of [{ kind: "task" as const }, { viewer: { ...viewer, tenant: "none" } }])
        await attend(3_600_000, wrong);
      expect(await jobs.getRun(named, viewer)).toMatchObject({ worker: "not yet known", progress: 0 });
      await attend(3_600_000);
      expect(await jobs.getRun(named, viewer)).toMatchObject({ worker: "w", progress: 42, tenant });
      expect(await jobs.getRun(own, viewer)).toMatchObject({ worker: "w", progress: 0 });
      expect(await recover()).toEqual([other]);
      // None is younger than no time at all.
      await attend(0);
      expect(await recover()).toEqual([named]);
    });

    test("settling ends a run as a part of a transaction, once", async () => {
      const settle = (runId: number, outcome: "failed" | "cancelled" | "released") =>
        under.transaction((tx) => remote.settleIn(tx, { runId, outcome, reason: "because" }));
      await add("a");
      const first = await one();
      await settle(first.runId, "released");
      await settle(first.runId, "failed");
      const second = await one();
      expect(second).toMatchObject({ payload: "a", attempt: 1 });
      await settle(second.runId, "failed");
      await add("b");
      await settle((await one()).runId, "cancelled");
      expect(await outcomes()).toEqual(["released", "failed", "cancelled"]);
      expect(await jobs.getRun(first.runId, viewer)).toMatchObject({ error: { message: "because" } });
      expect(await claim()).toEqual([]);
      expect(await jobs.counts()).toEqual([]);
    });

    test("a heartbeat that names no lease extends it by that of the claim", async () => {
      await add("a");
      await add("b");
      const { runId } = await one({ leaseMs: 600_000 });
      await remote.heartbeat({ runId, by, leaseMs: 1000 });
      const { leaseUntil } = await remote.heartbeat({ runId, by, leaseMs: undefined });
      const { heartbeatAt } = await jobs.getRun(runId, viewer);
      expect(leaseUntil.getTime() - heartbeatAt.getTime()).toBe(600_000);
      const endless = await one({ leaseMs: undefined });
      await remote.heartbeat({ runId: endless.runId, by, leaseMs: undefined });
      expect(await recover()).toEqual([]);
      expect(await outcomes()).toEqual([null, null]);
    });

    test("who ends one while it is being cancelled is told what became of it", async () => {
      const error = { code: "c", message: "m" };
      const ends = {
        released: (runId: number) => remote.release({ runId, by, reason: "r" }),
        failed: (runId: number) => remote.fail({ runId, by, error, retry: false }),
      };
      for (const [outcome, end] of Object.entries(ends)) {
        for (let time = 0; time < 20; time++) {
          await add("a");
          const { runId } = await one();
          const cancel = async () => {
            try {
              await jobs.requestCancel(runId, viewer);
              return "cancelled";
            } catch {
              return outcome;
            }
          };
          const [ended, asked] = await Promise.all([end(runId), cancel()]);
          expect([ended, (await jobs.getRun(runId, viewer)).outcome]).toEqual([asked, asked]);
          await jobs.clearQueue({ viewer, name: "q" });
        }
      }
    });

    test("one that another has ended is not handed back", async () => {
      await add("a");
      const { runId } = await one();
      await complete(runId);
      await expect(remote.release({ runId, by, reason: "r" })).rejects.toMatchObject({
        code: "run_not_active",
      });
    });

    test("one that was to be cancelled and whose worker is gone is cancelled, not run again", async () => {
      await add("a");
      const { runId } = await one({ leaseMs: 0 });
      await jobs.requestCancel(runId, viewer);
      await recover();
      expect(await outcomes()).toEqual(["cancelled"]);
      expect(await claim()).toEqual([]);
    });

    test("a paused queue and a disabled worker get none", async () => {
      await add("a");
      await jobs.changeQueue({ viewer, name: "q", paused: true });
      expect(await claim()).toEqual([]);
      await jobs.changeQueue({ viewer, name: "q", paused: false });
      const { tenant } = viewer;
      await under.remoteWorkers.setDisabled({ face: "remote", id: "w", tenant, disabled: true });
      expect(await claim()).toEqual([]);
      const { runId } = await one({ worker: "other" });
      await under.remoteWorkers.setDisabled({ face: "remote", id: "other", tenant, disabled: true });
      expect(await remote.heartbeat({ runId, by, leaseMs: 1000 })).toMatchObject({ drain: true });
    });

    test("a worker that is not known is not disabled, and noted when it is next heard of", async () => {
      const { remoteWorkers } = under;
      const named = { face: "remote", id: "w" } as const;
      const { tenant } = viewer;
      await remoteWorkers.note({ ...named, viewer });
      await remoteWorkers.setDisabled({ ...named, tenant, disabled: true });
      expect(await remoteWorkers.isDisabled({ ...named, tenant })).toBe(true);
      // By another process: this one remembers that it has noted it.
      await under.transaction((tx) => tx.deleteFrom("vconductor.remote_worker").execute());
      expect(await remoteWorkers.isDisabled({ ...named, tenant })).toBe(false);
      await remoteWorkers.note({ ...named, viewer });
      expect(await remoteWorkers.list({ face: "remote", viewer })).toMatchObject([{ id: "w" }]);
    });

    test("each kind of queue is for its own kind of worker", async () => {
      await jobs.createQueue({ viewer, name: "p" });
      await jobs.enqueue({ queue: "p", vconUuids: ["u"] });
      expect(await claim({ queue: "p" })).toEqual([]);
      await add("a");
      expect(await claim({ kind: "task" })).toEqual([]);
      const { runId } = await one();
      await expect(complete(runId, { by: { kind: "task", viewer } })).rejects.toMatchObject({
        code: "run_not_found",
      });
      const cycle = [{ queue: "q", count: 1 }];
      await add("b");
      const claimed = await jobs.claim({
        cycle,
        limit: 1,
        kind: "pipeline",
        worker: "w",
        server: "s",
        leaseMs: 1000,
      });
      expect(claimed.jobs).toEqual([]);
    });

    test("a queue of another system's API takes no vCons: its workers could not do them", async () => {
      await jobs.createQueue({ viewer, name: "c", kind: "celery" });
      await expect(jobs.enqueue({ queue: "c", vconUuids: ["u"] })).rejects.toMatchObject({
        code: "queue_not_found",
      });
      await jobs.enqueue({ queue: "c", vconUuids: [], payload: 1 });
      expect(await claim({ queue: "c", kind: "celery", limit: 9 })).toMatchObject([{ payload: 1 }]);
    });

    test("a worker gets its tenant's jobs, of the queues that it may work on", async () => {
      const tenant = (name: string): Viewer => ({ tenant: name, all: false, grantees: [] });
      const principal = (name: string) => ({
        id: name,
        name,
        tenant: name,
        groups: [],
        scopes: ["job:work" as const],
        via: "token" as const,
      });
      await add("of a", { principal: principal("a") });
      await add("of b", { principal: principal("b") });
      const job = await one({ viewer: tenant("b"), limit: 5 });
      expect(job.payload).toBe("of b");
      const of = (name: string, queues?: readonly string[]): WorksFor => ({
        kind: "remote",
        viewer: tenant(name),
        queues,
      });
      for (const other of [of("a"), of("b", ["other"])]) {
        await expect(complete(job.runId, { by: other })).rejects.toMatchObject({ code: "run_not_found" });
        await expect(remote.heartbeat({ runId: job.runId, by: other, leaseMs: 1000 })).rejects.toMatchObject({
          code: "run_not_found",
        });
      }
      await complete(job.runId, { by: of("b", ["q"]) });
    });

    test("claiming in a transaction that fails leaves the job where it was", async () => {
      await add("a");
      await expect(
        under.transaction(async (tx) => {
          const claimed = await remote.claimIn(tx, usual);
          expect(claimed).toHaveLength(1);
          throw new Error("no");
        }),
      ).rejects.toThrow("no");
      expect(await one()).toMatchObject({ attempt: 1 });
      expect(await outcomes()).toEqual([null]);
    });
  });
}
