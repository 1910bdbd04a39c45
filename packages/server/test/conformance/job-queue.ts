import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { everything as viewer } from "../../src/access/principal.ts";
import type { Transaction } from "../../src/database/database.ts";
import type { ClaimedJob, JobQueue, NewJob, Turn } from "../../src/jobs/job-queue.ts";
import type { PipelineStore } from "../../src/pipelines/pipeline-store.ts";
import { Tending } from "../../src/workers/tending.ts";
import { eventually } from "../setup/eventually.ts";
import { doesNothing } from "./definition.ts";

export interface JobQueueUnderTest {
  readonly jobs: JobQueue;
  readonly pipelines: PipelineStore;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const reason = { code: "worker_died", message: "its worker died" };

/** What every implementation of `JobQueue` promises. `open` gives an empty one. */
export function describeJobQueue(name: string, open: () => Promise<JobQueueUnderTest>): void {
  describe(name, () => {
    let under: JobQueueUnderTest;
    let jobs: JobQueue;
    beforeEach(async () => {
      under = await open();
      jobs = under.jobs;
    });
    afterEach(() => under.close());

    /** A queue with a pipeline, so that its jobs can be claimed. */
    async function makeQueue(queue: string, options: { readonly saves?: boolean } = {}): Promise<void> {
      await jobs.createQueue({ viewer, name: queue });
      await under.pipelines.put({ viewer, name: queue, definition: doesNothing(options) });
    }
    const add = (queue: string, vcon: string, more: Partial<NewJob> = {}) =>
      jobs.enqueue({ queue, vconUuids: [vcon], ...more });
    const claim = async (
      cycle: readonly Turn[] | string,
      limit = 1,
      leaseMs = 60_000,
    ): Promise<readonly ClaimedJob[]> => {
      const turns = typeof cycle === "string" ? [{ queue: cycle, count: 1 }] : cycle;
      const got = await jobs.claim({
        cycle: turns,
        limit,
        kind: "pipeline",
        worker: "w",
        server: "s",
        leaseMs,
      });
      return got.jobs;
    };
    const one = async (queue: string, leaseMs?: number): Promise<ClaimedJob> => {
      const [job] = await claim(queue, 1, leaseMs);
      if (job === undefined) throw new Error(`nothing to claim in ${queue}`);
      return job;
    };
    const finish = (runId: number, followUps: readonly NewJob[] = []) =>
      under.transaction((tx) => jobs.finish(tx, [{ runId, followUps }]));
    const waiting = async (queue: string) =>
      (await jobs.listWaiting({ viewer, queue, offset: 0, limit: 100 })).map((job) => job.vconUuids[0]);
    const failing = { failureQueueOf: async () => undefined, crashLimit: 3, reason };

    test("queues are made once, listed, and deleted with what waits in them", async () => {
      await makeQueue("q");
      await expect(jobs.createQueue({ viewer, name: "q" })).rejects.toMatchObject({
        code: "queue_exists",
        message: "queue: q already exists",
      });
      await add("q", "a");
      await add("q", "b");
      const running = await one("q");
      expect((await jobs.deleteQueue({ viewer, name: "q" })).map((job) => job.vconUuids)).toEqual([["b"]]);
      await expect(jobs.deleteQueue({ viewer, name: "q" })).rejects.toMatchObject({
        message: "queue: q not found",
      });
      expect(await jobs.listQueues({ viewer, kind: "pipeline" })).toEqual([]);
      // The job in progress went on, and comes out.
      expect(await finish(running.runId)).toEqual(["finished"]);
    });

    test("jobs run in the order of their priority, then of their arrival; the answer counts those that wait", async () => {
      await makeQueue("q");
      expect((await add("q", "a")).length).toBe(1);
      expect((await add("q", "b")).length).toBe(2);
      expect((await add("q", "c", { priority: 5 })).length).toBe(3);
      expect(await waiting("q")).toEqual(["c", "a", "b"]);
      expect((await claim("q", 10)).map((job) => job.vconUuids[0])).toEqual(["c", "a", "b"]);
      expect(await claim("q", 10)).toEqual([]);
      await expect(add("none", "a")).rejects.toMatchObject({ code: "queue_not_found" });
    });

    test("single jobs that arrive together all get in, each with an id of its own", async () => {
      await makeQueue("q");
      const added = await Promise.all(Array.from({ length: 100 }, (_, n) => add("q", `v${n}`)));
      expect(new Set(added.map((job) => job.jobId)).size).toBe(100);
      expect(Math.max(...added.map((job) => job.length))).toBe(100);
    });

    test("a delayed job waits for its time", async () => {
      await makeQueue("q");
      await add("q", "late", { runAfter: new Date(Date.now() + 3_600_000) });
      expect(await claim("q")).toEqual([]);
      expect(await jobs.promoteScheduled()).toBeGreaterThan(3_000_000);
      await add("q", "soon", { runAfter: new Date(Date.now() + 50) });
      await eventually(async () => {
        await jobs.promoteScheduled();
        return (await claim("q")).length === 1;
      });
      expect(await waiting("q")).toEqual(["late"]);
    });

    test("of jobs with one key only one waits or runs", async () => {
      await makeQueue("q");
      const added = await Promise.all(Array.from({ length: 8 }, () => add("q", "a", { uniqueKey: "k" })));
      expect(new Set(added.map((job) => job.jobId)).size).toBe(1);
      const run = await one("q");
      expect((await add("q", "a", { uniqueKey: "k" })).jobId).toBe(run.jobId);
      await finish(run.runId);
      expect((await add("q", "a", { uniqueKey: "k" })).jobId).not.toBe(run.jobId);
    });

    test("weights: a:1,b:4,c:2 is tended a b b b b c c, one at a time or many", async () => {
      const weights = [
        { queue: "a", weight: 1 },
        { queue: "b", weight: 4 },
        { queue: "c", weight: 2 },
      ];
      for (const { queue } of weights) {
        await makeQueue(queue, { saves: false });
        for (let n = 0; n < 30; n++) await add(queue, "v");
      }
      for (const limit of [1, 3, 10]) {
        const tending = new Tending();
        tending.set(weights);
        let order = "";
        while (order.length < 14) {
          const cycle = tending.cycle();
          const got = await jobs.claim({
            cycle,
            limit,
            kind: "pipeline",
            worker: "w",
            server: "s",
            leaseMs: 60_000,
          });
          order += got.jobs.map((job) => job.queue).join("");
          if (got.last !== undefined) tending.advance(cycle, got.last);
        }
        expect(order.slice(0, 14)).toBe("abbbbccabbbbcc");
      }
    });

    test("an empty, paused or unserved queue costs its neighbours nothing", async () => {
      await makeQueue("paused");
      await makeQueue("full");
      await makeQueue("empty");
      await jobs.createQueue({ viewer, name: "unserved" });
      for (const queue of ["paused", "full", "unserved"]) await add(queue, queue);
      await jobs.changeQueue({ viewer, name: "paused", paused: true });
      const cycle = ["paused", "empty", "unserved", "missing", "full"].map((queue) => ({ queue, count: 2 }));
      expect((await claim(cycle, 10)).map((job) => job.queue)).toEqual(["full"]);
      await jobs.changeQueue({ viewer, name: "paused", paused: false });
      expect((await claim(cycle, 10)).map((job) => job.queue)).toEqual(["paused"]);
      await expect(jobs.changeQueue({ viewer, name: "none", paused: true })).rejects.toMatchObject({
        code: "queue_not_found",
      });
    });

    test("a job whose vCon is in use is passed over, keeps its place, and comes next", async () => {
      await makeQueue("q");
      await makeQueue("other");
      await add("q", "same");
      await add("q", "same");
      await jobs.enqueue({ queue: "q", vconUuids: ["x", "same"] });
      await add("q", "free");
      const got = await claim("q", 10);
      expect(got.map((job) => job.vconUuids)).toEqual([["same"], ["free"]]);
      await add("other", "same");
      expect(await claim("other")).toEqual([]);
      await finish(got[0]?.runId ?? 0);
      expect((await claim("q", 10)).map((job) => job.vconUuids)).toEqual([["same"]]);
    });

    test("pipelines that do not save do not lock", async () => {
      await makeQueue("q", { saves: false });
      await add("q", "same");
      await add("q", "same");
      expect(await claim("q", 10)).toHaveLength(2);
    });

    test("many claimers at once: no job twice, no two runs on one vCon, nothing left over", async () => {
      await makeQueue("q");
      await Promise.all(Array.from({ length: 300 }, (_, n) => add("q", `v${n % 60}`)));
      const inUse = new Set<string>();
      const done = new Set<number>();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (done.size < 300) {
            const got = await claim("q", 5);
            for (const job of got) {
              const vcon = job.vconUuids[0] ?? "";
              expect(inUse.has(vcon)).toBe(false);
              inUse.add(vcon);
            }
            for (const job of got) {
              inUse.delete(job.vconUuids[0] ?? "");
              expect(await finish(job.runId)).toEqual(["finished"]);
              expect(done.has(job.jobId)).toBe(false);
              done.add(job.jobId);
            }
          }
        }),
      );
      expect(await waiting("q")).toEqual([]);
      expect(await jobs.activeRuns({ viewer })).toEqual([]);
    });

    test("claims while jobs come in: whatever is claimed is handed out, with who queued it", async () => {
      await makeQueue("q");
      const principal = {
        id: "token:t",
        name: "Ann",
        via: "token",
        tenant: "a",
        groups: [],
        scopes: [],
      } as const;
      const total = 200;
      const got: ClaimedJob[] = [];
      let coming = true;
      const taking = Promise.all(
        Array.from({ length: 4 }, async () => {
          for (;;) {
            const claimed = await claim("q", 5);
            got.push(...claimed);
            if (claimed.length === 0 && !coming) return;
          }
        }),
      );
      for (let n = 0; n < total; n += 1) await add("q", `v${n}`, { principal });
      coming = false;
      await taking;
      const active = await jobs.activeRuns({ viewer });
      expect(new Set(got.map(({ runId }) => runId))).toEqual(new Set(active.map(({ id }) => id)));
      expect(got.length).toBe(total);
      expect(got.every((job) => job.principal?.id === principal.id)).toBe(true);
      expect(active.every((run) => run.tenant === "a" && run.principal?.id === principal.id)).toBe(true);
    });

    test("finishing: once; again it says already; after the lease has passed on it says lost", async () => {
      await makeQueue("q");
      await makeQueue("next");
      await add("q", "a");
      const first = await one("q");
      await jobs.requeueRun(first.runId, viewer);
      expect(await finish(first.runId, [{ queue: "next", vconUuids: ["a"] }])).toEqual(["lost"]);
      expect(await waiting("next")).toEqual([]);
      const second = await one("q");
      expect(second.runId).toBeGreaterThan(first.runId);
      expect(await finish(second.runId, [{ queue: "next", vconUuids: ["a"] }])).toEqual(["finished"]);
      expect(await finish(second.runId, [{ queue: "next", vconUuids: ["a"] }])).toEqual(["already"]);
      expect(await waiting("next")).toEqual(["a"]);
      expect(await jobs.getRun(second.runId, viewer)).toMatchObject({
        outcome: "done",
        progress: 100,
        attempt: 1,
      });
    });

    test("a follow-up to a missing queue ends nothing", async () => {
      await makeQueue("q");
      await add("q", "a");
      const run = await one("q");
      await expect(finish(run.runId, [{ queue: "none", vconUuids: ["a"] }])).rejects.toMatchObject({
        code: "queue_not_found",
      });
      expect(await finish(run.runId)).toEqual(["finished"]);
    });

    test("what a rolled back transaction queued was never there", async () => {
      await makeQueue("q");
      const rolledBack = under.transaction(async (tx) => {
        await jobs.enqueueIn(tx, [{ queue: "q", vconUuids: ["a"] }]);
        throw new Error("no");
      });
      await expect(rolledBack).rejects.toThrow("no");
      expect(await waiting("q")).toEqual([]);
    });

    test("a crash puts the job back to its old place and uses up no attempt; the third one fails it", async () => {
      await makeQueue("q");
      await add("q", "a");
      await add("q", "b");
      for (let crash = 1; crash <= 3; crash++) {
        const run = await one("q");
        expect(run).toMatchObject({ vconUuids: ["a"], attempt: 1, crashes: crash - 1 });
        expect(await jobs.recover({ ...failing, runIds: [run.runId] })).toEqual([run.runId]);
        expect(await jobs.recover({ ...failing, runIds: [run.runId] })).toEqual([]);
      }
      expect(await waiting("q")).toEqual(["b"]);
      const [failed] = await jobs.listFailed({ viewer, queue: "q", after: 0, limit: 10 });
      expect(failed).toMatchObject({ vconUuids: ["a"], error: { code: "worker_died" } });
      expect((await one("q")).vconUuids).toEqual(["b"]);
    });

    test("a lease runs out without a heartbeat, and not with one", async () => {
      await makeQueue("q");
      await add("q", "a");
      const run = await one("q", 1);
      expect(await jobs.heartbeat({ runIds: [run.runId, 999_999], leaseMs: 60_000 })).toEqual([
        { runId: run.runId, cancelRequested: false },
      ]);
      expect(await jobs.recover(failing)).toEqual([]);
      await jobs.heartbeat({ runIds: [run.runId], leaseMs: 1 });
      await eventually(async () => (await jobs.recover(failing)).includes(run.runId));
      expect(await jobs.heartbeat({ runIds: [run.runId], leaseMs: 60_000 })).toEqual([]);
      expect(await waiting("q")).toEqual(["a"]);
    });

    test("heartbeats and ends of many runs at the same moment do not wait for each other", async () => {
      await makeQueue("q", { saves: false });
      for (let round = 0; round < 10; round++) {
        await under.transaction((tx) =>
          jobs.enqueueIn(
            tx,
            Array.from({ length: 60 }, (_, n) => ({ queue: "q", vconUuids: [`u${n}`] })),
          ),
        );
        const runIds = (await claim("q", 60)).map((job) => job.runId);
        const backwards = runIds.toReversed().map((runId) => ({ runId, followUps: [] }));
        const beats = [runIds, runIds.toReversed()].map((ids) =>
          jobs.heartbeat({ runIds: ids, leaseMs: 60_000 }),
        );
        const ends = [backwards.slice(0, 40), backwards.slice(20)].map((runs) =>
          under.transaction((tx) => jobs.finish(tx, runs)),
        );
        await Promise.all([...beats, ...ends]);
        expect(await jobs.heartbeat({ runIds, leaseMs: 60_000 })).toEqual([]);
      }
    });

    test("a failure is tried again as often as the policy says, then listed until it is requeued", async () => {
      await makeQueue("q");
      await add("q", "a");
      const error = { code: "processor_failed", message: "no", processor: "p", step: 0 };
      const retry = { limit: 1, delayMs: 0, backoff: false };
      const first = await one("q");
      expect(await jobs.fail({ runId: first.runId, error, retry })).toBe("retry");
      const second = await one("q");
      expect(second.attempt).toBe(2);
      expect(await jobs.fail({ runId: second.runId, error, retry, failureQueue: "none" })).toBe("failed");
      expect(await jobs.fail({ runId: second.runId, error })).toBeUndefined();
      expect(await jobs.listFailed({ viewer, queue: "q", after: 0, limit: 10 })).toMatchObject([
        { lastRun: second.runId, attempts: 2, error },
      ]);
      await expect(jobs.requeueFailed({ viewer, queue: "q", runId: first.runId })).rejects.toMatchObject({
        code: "run_not_found",
      });
      await jobs.requeueFailed({ viewer, queue: "q", runId: second.runId });
      expect((await one("q")).attempt).toBe(1);
    });

    test("a retry waits for its delay, which doubles with backoff", async () => {
      await makeQueue("q");
      await add("q", "a");
      const run = await one("q");
      const retry = { limit: 5, delayMs: 3_600_000, backoff: true };
      await jobs.fail({ runId: run.runId, error: reason, retry });
      expect(await claim("q")).toEqual([]);
      const [job] = await jobs.listWaiting({ viewer, queue: "q", offset: 0, limit: 1 });
      expect(job?.state).toBe("scheduled");
      expect(job?.runAfter?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    });

    test("a failure queue gets the job with its reason", async () => {
      await makeQueue("q");
      await makeQueue("broken");
      await add("q", "a");
      const run = await one("q");
      await jobs.fail({ runId: run.runId, error: reason, failureQueue: "broken" });
      expect(await jobs.listFailed({ viewer, queue: "q", after: 0, limit: 10 })).toEqual([]);
      expect(await jobs.listWaiting({ viewer, queue: "broken", offset: 0, limit: 10 })).toMatchObject([
        { vconUuids: ["a"], fromQueue: "q", originRun: run.runId, error: reason },
      ]);
    });

    test("operators: requeue to the front, remove, cancel what waits, ask a run to stop", async () => {
      await makeQueue("q");
      for (const vcon of ["a", "b", "c"]) await add("q", vcon);
      const [a, b] = await claim("q", 2);
      await jobs.requeueRun(a?.runId ?? 0, viewer);
      await jobs.requeueRun(b?.runId ?? 0, viewer);
      expect(await waiting("q")).toEqual(["b", "a", "c"]);
      const run = await one("q");
      await jobs.removeRun(run.runId, viewer);
      await expect(jobs.removeRun(run.runId, viewer)).rejects.toMatchObject({
        message: `job: ${run.runId} not found`,
      });
      const [next] = await jobs.listWaiting({ viewer, queue: "q", offset: 0, limit: 1 });
      await jobs.cancelWaiting({ viewer, queue: "q", jobId: next?.id ?? 0 });
      expect(await waiting("q")).toEqual(["c"]);
      const last = await one("q");
      await jobs.requestCancel(last.runId, viewer);
      expect(await jobs.heartbeat({ runIds: [last.runId], leaseMs: 60_000 })).toMatchObject([
        { cancelRequested: true },
      ]);
      expect(await jobs.cancelled({ runId: last.runId, message: "asked to" })).toBe(true);
      expect(await jobs.cancelled({ runId: last.runId, message: "asked to" })).toBe(false);
      await expect(jobs.requestCancel(last.runId, viewer)).rejects.toMatchObject({ code: "run_not_active" });
      await expect(jobs.requestCancel(999_999, viewer)).rejects.toMatchObject({ code: "run_not_found" });
    });

    test("a run that was to be cancelled is, whoever gives it up", async () => {
      await makeQueue("q");
      for (const end of [
        (runId: number) =>
          jobs.fail({ runId, error: reason, retry: { limit: 5, delayMs: 0, backoff: false } }),
        async (runId: number) => (await jobs.release({ runIds: [runId], reason: "stopping" }))[0],
        async (runId: number) => {
          await jobs.recover({ ...failing, runIds: [runId] });
          return "cancelled";
        },
      ]) {
        await add("q", "a");
        const { runId } = await one("q");
        await jobs.requestCancel(runId, viewer);
        expect(await end(runId)).toBe("cancelled");
        expect(await jobs.getRun(runId, viewer)).toMatchObject({ outcome: "cancelled" });
        expect(await jobs.counts()).toEqual([]);
      }
    });

    test("a requeue to a queue that is gone is refused, and the run goes on", async () => {
      await makeQueue("q");
      await add("q", "a");
      const { runId } = await one("q");
      await jobs.deleteQueue({ viewer, name: "q" });
      await expect(jobs.requeueRun(runId, viewer)).rejects.toMatchObject({
        message: `requeue_in_progress_job(${runId}): queue: q does not exist`,
      });
      expect(await jobs.activeRuns({ viewer })).toHaveLength(1);
    });

    test("handing back uses up no attempt", async () => {
      await makeQueue("q");
      await add("q", "a");
      const run = await one("q");
      await jobs.release({ runIds: [run.runId], reason: "stopping" });
      expect(await one("q")).toMatchObject({ attempt: 1, crashes: 0 });
      expect(await jobs.getRun(run.runId, viewer)).toMatchObject({ outcome: "released" });
    });

    test("history: progress, filters, pages, and an end to it", async () => {
      await makeQueue("q");
      for (const vcon of ["a", "b"]) await add("q", vcon);
      const [a, b] = await claim("q", 2);
      const first = a?.runId ?? 0;
      const second = b?.runId ?? 0;
      await jobs.progress({ runId: first, progress: 41.6, message: "half way" });
      expect(await jobs.getRun(first, viewer)).toMatchObject({
        progress: 42,
        message: "half way",
        finishedAt: null,
      });
      await finish(first);
      await expect(jobs.progress({ runId: first, progress: 1 })).rejects.toMatchObject({
        code: "run_not_active",
      });
      const ids = async (filter: object) =>
        (await jobs.listRuns({ viewer, limit: 10, ...filter })).map((run) => run.id);
      expect(await ids({})).toEqual([second, first]);
      expect(await ids({ active: true })).toEqual([second]);
      expect(await ids({ outcome: "done" })).toEqual([first]);
      expect(await ids({ vcon: "b" })).toEqual([second]);
      expect(await ids({ queue: "none" })).toEqual([]);
      expect(await ids({ before: second })).toEqual([first]);
      expect(await jobs.ended([first, second])).toEqual([first]);
      expect(await jobs.purgeRuns({ olderThanDays: 1 })).toBe(0);
      expect(await jobs.purgeRuns({ olderThanDays: 0 })).toBe(1);
      expect(await ids({})).toEqual([second]);
    });

    test("checkpoints are kept with the job, and go with it", async () => {
      await makeQueue("q");
      await add("q", "a");
      const { jobId, runId } = await one("q");
      const checkpoint = { jobId, step: 0, fingerprint: "f", io: "{}" };
      await jobs.saveCheckpoint(checkpoint);
      await jobs.saveCheckpoint({ ...checkpoint, io: "[]" });
      expect(await jobs.loadCheckpoints(jobId)).toEqual([{ step: 0, fingerprint: "f", io: "[]" }]);
      await finish(runId);
      expect(await jobs.loadCheckpoints(jobId)).toEqual([]);
    });
  });
}
