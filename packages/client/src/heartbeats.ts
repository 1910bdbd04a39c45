import { leastPauseMs } from "./backoff.ts";
import type { Client } from "./client.ts";
import { isOver, isRefused } from "./errors.ts";
import type { Outage } from "./outage.ts";
import { toText } from "./text.ts";
import type { StopReason } from "./types.ts";

/** Progress is told so soon after it was made known. */
const progressMs = 300;
const againMs = 1000;
const longestMessage = 2000;

export interface HeartbeatOptions {
  readonly client: Client;
  readonly runId: number;
  readonly leaseSeconds: number;
  readonly outage: Outage;
  /** Called when the job is to stop. */
  readonly stop: (reason: StopReason) => void;
}

/** Keeps one job for its worker, and tells how far it is. One heartbeat at a time. */
export class Heartbeats {
  readonly #options: HeartbeatOptions;
  #news: { readonly progress: number; readonly message?: string } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The last one came through, and the next is to come when it is time. */
  #isCalm = true;
  #isStopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#beatIn(this.#everyMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#options.outage.gone(this);
  }

  /** Goes with the next heartbeat. That comes soon, unless the server is away: then it is not asked more often for this. */
  progress(percent: number, message = ""): void {
    const text = toText(message, longestMessage);
    this.#news = {
      // Not a number is no progress.
      progress: Math.max(0, Math.min(100, percent)) || 0,
      ...(text === "" ? {} : { message: text }),
    };
    if (!this.#isCalm) return;
    this.#isCalm = false;
    this.#beatIn(this.#soonMs);
  }

  /** Three chances within a lease. */
  get #everyMs(): number {
    return (this.#options.leaseSeconds * 1000) / 3;
  }

  get #soonMs(): number {
    return Math.min(this.#everyMs, progressMs);
  }

  #beatIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#beat(), ms);
  }

  async #beat(): Promise<void> {
    const { client, runId, leaseSeconds, outage, stop } = this.#options;
    const news = this.#news;
    this.#news = undefined;
    this.#isCalm = false;
    try {
      const told = await client.heartbeat(runId, { lease: leaseSeconds, ...news });
      if (told.cancelled) stop("cancelled");
      if (this.#isStopped) return;
      outage.answered(this);
      this.#isCalm = this.#news === undefined;
      this.#beatIn(this.#isCalm ? this.#everyMs : this.#soonMs);
    } catch (error) {
      if (this.#isStopped) return;
      if (isOver(error)) {
        outage.answered(this);
        stop("lost");
        return;
      }
      // What the server does not take is not said again: the lease counts for more.
      if (!isRefused(error)) this.#news ??= news;
      outage.failed(this, error);
      this.#beatIn(Math.max(leastPauseMs(error), Math.min(this.#everyMs, againMs)));
    }
  }
}
