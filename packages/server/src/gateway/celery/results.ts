import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { everything } from "../../access/principal.ts";
import { VconductorError } from "../../errors.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import type { RemoteJobs } from "../../jobs/remote-jobs.ts";
import type { JobValues } from "../../work/job-values.ts";
import { Outage } from "./outage.ts";
import { answerIn, progressIn, readReport, type TaskAnswer, type TaskReport } from "./reports.ts";
import type { CeleryTasks } from "./tasks.ts";

export const by = { kind: "celery", viewer: everything } as const;
const againMs = 1000;

export interface TaskResultsOptions {
  readonly tasks: CeleryTasks;
  readonly jobs: JobQueue;
  readonly remoteJobs: RemoteJobs;
  readonly values: JobValues;
  readonly leaseMs: number;
  readonly log: Pick<Logger, "info" | "warn">;
  /** The task has ended, and that is in the database. */
  readonly ended: (id: string) => void;
}

/**
 * Puts what workers say of tasks into the database, where it is the end of a run or news of it. What comes when nobody
 * holds the run is kept with the request, for whoever takes its job up next.
 */
export class TaskResults {
  readonly #options: TaskResultsOptions;
  readonly #outage: Outage;
  /** By task: the report that is being kept. The next one waits for it, so that old news does not replace newer. */
  readonly #keeping = new Map<string, Promise<void>>();

  constructor(options: TaskResultsOptions) {
    this.#options = options;
    this.#outage = new Outage({
      during: "results of Celery cannot be kept; it is tried again",
      over: "results of Celery are kept again",
      log: options.log,
    });
  }

  /**
   * Keeps a report, as soon as that can be done.
   *
   * @param about.id of the task, as the place says where it was found
   * @throws Error it was not kept before the signal was aborted
   */
  async take(
    content: string,
    { id, signal }: { readonly id: string | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    const report = readReport(content, id) ?? this.#notUnderstood(id);
    if (report === undefined) return;
    const before = this.#keeping.get(report.id) ?? Promise.resolve();
    const kept = before.catch(() => {}).then(() => this.#insist(report, signal));
    this.#keeping.set(report.id, kept);
    try {
      await kept;
    } finally {
      if (this.#keeping.get(report.id) === kept) this.#keeping.delete(report.id);
    }
  }

  /** @returns whether the run ends by it; false: it has ended otherwise */
  async end(runId: number, { status, result }: TaskAnswer): Promise<boolean> {
    const { remoteJobs, jobs } = this.#options;
    try {
      if (status === "SUCCESS") await remoteJobs.complete({ runId, by, result, followUps: [] });
      else if (status === "REVOKED") return await jobs.cancelled({ runId, message: "revoked" });
      else {
        const { code, message }: { code?: unknown; message?: unknown } = Object(result);
        const error = { code: `celery_${code}`, message: String(message) };
        await remoteJobs.fail({ runId, by, error, retry: false });
      }
      return true;
    } catch (error) {
      if (hasEnded(error)) return false;
      throw error;
    }
  }

  #notUnderstood(id: string | undefined): TaskReport | undefined {
    this.#options.log.warn({ task: id }, "what a worker of Celery answered is not understood");
    // Nobody knows what it is about.
    if (id === undefined) return undefined;
    return { id, status: "FAILURE", result: { exc_message: "the worker's answer is not understood" } };
  }

  async #insist(given: TaskReport, signal: AbortSignal): Promise<void> {
    for (let report = given, waited = false; ; waited = true) {
      try {
        await this.#keep(report);
        if (waited) this.#outage.isOver();
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        this.#outage.goesOn(error);
        if (report === given && isUnstorable(error)) {
          const result = { exc_message: "the database cannot hold what the worker answered" };
          report = { id: given.id, status: "FAILURE", result };
        } else {
          await sleep(againMs, undefined, { signal }).catch(() => {});
          if (signal.aborted) throw error;
        }
      }
    }
  }

  async #keep(report: TaskReport): Promise<void> {
    const { values, ended } = this.#options;
    const answer = answerIn(report);
    if (answer === undefined) return await this.#keepNews(report);
    const { status, result } = answer;
    await this.#keepAnswer(report.id, { status, result: await values.keep(result) });
    ended(report.id);
  }

  async #keepAnswer(id: string, answer: TaskAnswer): Promise<void> {
    const { tasks } = this.#options;
    const at = await tasks.noteEnd(id);
    if (at === undefined || (at.runId !== undefined && (await this.end(at.runId, answer)))) return;
    // Whoever takes the job up from now on finds it. Somebody may have done so just before.
    await tasks.noteEnd(id, answer);
    const then = await tasks.noteEnd(id);
    if (then?.runId !== undefined) await this.end(then.runId, answer);
  }

  async #keepNews({ id, status, result }: TaskReport): Promise<void> {
    const { tasks, remoteJobs, leaseMs } = this.#options;
    const shown = status === "RETRY" ? answerIn({ id, status: "FAILURE", result })?.result : result;
    const at = await tasks.noteNews({ id, status, result: shown });
    if (at?.runId === undefined) return;
    const progress = progressIn(result);
    await remoteJobs.heartbeat({ runId: at.runId, by, leaseMs, progress }).catch((error: unknown) => {
      if (!hasEnded(error)) throw error;
    });
  }
}

function hasEnded(error: unknown): boolean {
  return error instanceof VconductorError && error.code === "run_not_active";
}

/** PostgreSQL's class 22: a value that it does not take; 54: one that is too large or too deep. */
function isUnstorable(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(?:22|54)...$/.test(String(error.code));
}
