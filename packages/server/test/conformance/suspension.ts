import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { everything } from "../../src/access/principal.ts";
import type { JobQueue } from "../../src/jobs/job-queue.ts";
import type { RemoteJobs, WorksFor } from "../../src/jobs/remote-jobs.ts";
import { doesNothing } from "./definition.ts";
import type { RemoteJobsUnderTest } from "./remote-jobs.ts";

/** What every implementation of `JobQueue` and `RemoteJobs` promises of jobs that wait for others. `open` gives an empty one. */
export function describeSuspension(name: string, open: () => Promise<RemoteJobsUnderTest>): void {
  describe(`a pipeline job that waits for a remote one, in ${name}`, () => {
    let under: RemoteJobsUnderTest;
    let jobs: JobQueue;
    let remote: RemoteJobs;
    const viewer = everything;
    const by: WorksFor = { kind: "remote", viewer };
    const claim = () =>
      remote.claim({
        kind: "remote",
        viewer,
        queue: "q",
        limit: 1,
        worker: "w",
        server: "s",
        leaseMs: 60_000,
      });
    const one = async () => {
      const [job] = await claim();
      if (job === undefined) throw new Error("nothing to claim");
      return job;
    };
    const complete = (runId: number, { result = null }: { readonly result?: unknown } = {}) =>
      remote.complete({ runId, by, result, followUps: [] });
    let runId: number;
    let jobId: number;
    const claimPipeline = async () => {
      const { jobs: claimed } = await jobs.claim({
        cycle: [{ queue: "p", count: 1 }],
        limit: 1,
        kind: "pipeline",
        worker: "w",
        server: "s",
        leaseMs: 60_000,
      });
      return claimed[0];
    };
    beforeEach(async () => {
      under = await open();
      jobs = under.jobs;
      remote = under.remoteJobs;
      await jobs.createQueue({ viewer, name: "q", kind: "remote" });
      await jobs.createQueue({ viewer, name: "p" });
      await under.pipelines.put({ viewer, name: "p", definition: doesNothing() });
      ({ jobId } = await jobs.enqueue({ queue: "p", vconUuids: ["u"] }));
      runId = (await claimPipeline())?.runId ?? 0;
    });
    afterEach(() => under.close());

    const cancelWaiting = (id: number) => jobs.cancelWaiting({ viewer, queue: "p", jobId: id });
    const asked = async () => (await jobs.serviceCall({ jobId, key: "k" }))?.remoteJob ?? 0;
    const suspend = () =>
      jobs.suspend({
        runId,
        key: "k",
        call: { job: { queue: "q", vconUuids: [], jobType: "service", payload: "do it" } },
        checkpoint: { step: 1, fingerprint: "f", io: "{}" },
      });

    test("holds no worker and no vCon, and comes back when it is done", async () => {
      await suspend();
      expect(await claimPipeline()).toBeUndefined();
      // Its vCon is free for others.
      await jobs.enqueue({ queue: "p", vconUuids: ["u"] });
      const other = await claimPipeline();
      expect(other?.jobId).not.toBe(jobId);
      await under.transaction((tx) => jobs.finish(tx, [{ runId: other?.runId ?? 0, followUps: [] }]));

      const remoteJob = await asked();
      expect(await jobs.outcomeOf(remoteJob)).toEqual({ pending: true, lastRun: undefined });
      const { runId: remoteRun } = await one();
      expect(await jobs.outcomeOf(remoteJob)).toMatchObject({ pending: true });
      await complete(remoteRun, { result: 42 });
      const again = await claimPipeline();
      expect(again).toMatchObject({ jobId, attempt: 1, hasCalled: true });
      expect(await jobs.outcomeOf(remoteJob)).toMatchObject({
        pending: false,
        lastRun: { outcome: "done", result: 42 },
      });
      expect(await jobs.loadCheckpoints(jobId)).toMatchObject([{ step: 1, fingerprint: "f" }]);
      await jobs.forgetServiceCall({ jobId, key: "k" });
      expect(await jobs.serviceCall({ jobId, key: "k" })).toBeUndefined();
    });

    test.each(["failed", "taken off its queue", "cancelled"])("comes back when it has %s", async (how) => {
      await suspend();
      const remoteJob = await asked();
      if (how === "taken off its queue") {
        await jobs.cancelWaiting({ viewer, queue: "q", jobId: remoteJob });
      } else {
        const job = await one();
        if (how === "cancelled") await jobs.requestCancel(job.runId, viewer);
        await remote.fail({ runId: job.runId, by, error: { code: "c", message: "m" }, retry: false });
      }
      expect(await claimPipeline()).toMatchObject({ jobId });
      expect(await jobs.outcomeOf(remoteJob)).toMatchObject({ pending: false });
      expect(await jobs.wakeSuspended()).toBe(0);
    });

    test("does not lose what it asked for when its worker lost it", async () => {
      await jobs.removeRun(runId, viewer);
      await expect(suspend()).rejects.toMatchObject({ code: "run_not_active" });
      expect(await claim()).toEqual([]);
    });

    test("does not wait when it was to be cancelled, and asks for nothing", async () => {
      await jobs.requestCancel(runId, viewer);
      await suspend();
      expect(await jobs.getRun(runId, viewer)).toMatchObject({ outcome: "cancelled" });
      expect(await jobs.counts()).toEqual([]);
    });

    test("is listed with those that wait, and can be taken off", async () => {
      await suspend();
      expect(await jobs.listWaiting({ viewer, queue: "p", offset: 0, limit: 9 })).toMatchObject([
        { id: jobId, state: "suspended" },
      ]);
      await jobs.cancelWaiting({ viewer, queue: "p", jobId });
      expect(await claimPipeline()).toBeUndefined();
    });

    test.each([
      ["cancelled", (ids: readonly number[]) => Promise.all(ids.map(cancelWaiting))],
      ["cleared off its queue", () => jobs.clearQueue({ viewer, name: "p" })],
      ["deleted with its queue", () => jobs.deleteQueue({ viewer, name: "p" })],
    ])("that is %s takes with it what it asked for, waiting or in a worker's hands", async (_, takeOff) => {
      await suspend();
      const { runId: remoteRun } = await one();
      const second = await jobs.enqueue({ queue: "p", vconUuids: ["v"] });
      runId = (await claimPipeline())?.runId ?? 0;
      await suspend();
      await takeOff([jobId, second.jobId]);
      expect(await claim()).toEqual([]);
      expect(await remote.heartbeat({ runId: remoteRun, by, leaseMs: 1000 })).toMatchObject({
        cancelRequested: true,
      });
    });

    test("that is taken off while it runs takes with it what it had asked for", async () => {
      await suspend();
      const remoteJob = await asked();
      const { runId: remoteRun } = await one();
      await remote.fail({ runId: remoteRun, by, error: { code: "c", message: "m" }, retry: false });
      runId = (await claimPipeline())?.runId ?? 0;
      // Somebody has the failed one tried again while its result is waited for.
      await jobs.requeueFailed({ viewer, queue: "q", runId: remoteRun });
      await jobs.removeRun(runId, viewer);
      expect(await jobs.outcomeOf(remoteJob)).toMatchObject({ pending: false });
      expect(await claim()).toEqual([]);
    });

    test("comes back when it has waited for long enough, and takes back what it asked for", async () => {
      const suspend = (giveUpAfterMs: number) =>
        jobs.suspend({
          runId,
          key: "k",
          call: { job: { queue: "q", vconUuids: [] }, giveUpAfterMs },
          checkpoint: undefined,
        });
      await suspend(600_000);
      expect(await jobs.promoteScheduled()).toBeGreaterThan(500_000);
      expect(await jobs.serviceCall({ jobId, key: "k" })).toMatchObject({ isOverdue: false });
      expect(await claimPipeline()).toBeUndefined();
      await cancelWaiting(jobId);

      ({ jobId } = await jobs.enqueue({ queue: "p", vconUuids: ["u"] }));
      runId = (await claimPipeline())?.runId ?? 0;
      await suspend(0);
      await jobs.promoteScheduled();
      expect(await claimPipeline()).toMatchObject({ jobId });
      expect(await jobs.serviceCall({ jobId, key: "k" })).toMatchObject({ isOverdue: true });
      await jobs.forgetServiceCall({ jobId, key: "k" });
      expect(await claim()).toEqual([]);
      expect(await jobs.promoteScheduled()).toBeUndefined();
    });

    test("waits again at once for one that has ended meanwhile", async () => {
      await suspend();
      const remoteJob = await asked();
      const { runId: remoteRun } = await one();
      await complete(remoteRun);
      runId = (await claimPipeline())?.runId ?? 0;
      await jobs.suspend({ runId, key: "k", call: { remoteJob }, checkpoint: undefined });
      expect(await claimPipeline()).toMatchObject({ jobId });
    });

    test("may be taken off at the very moment at which the other ends", async () => {
      for (let time = 0; time < 20; time++) {
        await suspend();
        const { runId: remoteRun } = await one();
        await Promise.all([complete(remoteRun), cancelWaiting(jobId)]);
        expect(await jobs.counts()).toEqual([]);
        expect(await jobs.getRun(remoteRun, viewer)).toMatchObject({ outcome: "done" });
        ({ jobId } = await jobs.enqueue({ queue: "p", vconUuids: ["u"] }));
        runId = (await claimPipeline())?.runId ?? 0;
      }
    });
  });
}
