import type { Viewer } from "../../access/principal.ts";

const holdsMs = 5000;
const most = 10_000;

/**
 * Who polls, as far as it can be told: a poll does not say, but just before it a worker asks for its own status, from the
 * same address. Where two do so at the same moment, the heartbeats put it right.
 */
export class WorkerHints {
  readonly #seen = new Map<string, { readonly worker: string; readonly until: number }>();

  note(address: string, { tenant }: Viewer, worker: string): void {
    if (this.#seen.size >= most) this.#seen.clear();
    this.#seen.set(`${tenant} ${address}`, { worker, until: Date.now() + holdsMs });
  }

  at(address: string, { tenant }: Viewer): string | undefined {
    const seen = this.#seen.get(`${tenant} ${address}`);
    return seen !== undefined && seen.until > Date.now() ? seen.worker : undefined;
  }
}
