interface Report {
  readonly progress: number;
  readonly message: string | undefined;
}

const apartMs = 200;

/** Passes a run's progress on, one report at a time and not too often; of those in between only the last counts. */
export class ProgressReport {
  readonly #send: (report: Report) => Promise<void>;
  #latest: Report | undefined;
  #busy = false;
  #stopped = false;

  constructor(send: (report: Report) => Promise<void>) {
    this.#send = send;
  }

  report(report: Report): void {
    if (this.#stopped) return;
    this.#latest = report;
    if (!this.#busy) void this.#pass();
  }

  /** What has not been passed on by now is no longer of interest. */
  stop(): void {
    this.#stopped = true;
    this.#latest = undefined;
  }

  async #pass(): Promise<void> {
    this.#busy = true;
    while (this.#latest !== undefined) {
      const report = this.#latest;
      this.#latest = undefined;
      // Progress is for watching only: one that is lost is followed by another.
      await this.#send(report).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, apartMs).unref());
    }
    this.#busy = false;
  }
}
