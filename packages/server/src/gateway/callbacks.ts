import { sql } from "kysely";
import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import type { ProcessorContext } from "../processors/define.ts";
import type { Service } from "../service.ts";

const everyMs = 1000;
const mostTries = 6;
const batch = 20;

interface Due {
  readonly id: string;
  readonly callback: string;
  readonly callback_tries: number;
  readonly outcome: string | null;
}

export interface CallbackOptions {
  /** Of the queues. */
  readonly database: Database;
  /** Guarded: the address is a caller's. */
  readonly fetch: ProcessorContext["fetch"];
  readonly log: Pick<Logger, "warn">;
}

/** Tells whoever asked for it that a request has ended: `{"uuid", "status"}` is posted to the address it gave. */
export class Callbacks implements Service {
  readonly #options: CallbackOptions;
  readonly #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: CallbackOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#again();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  #again(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#deliver()
        // While the database is away; the next look finds what is left.
        .catch((error: unknown) => this.#options.log.warn({ err: error }, "callbacks could not be looked up"))
        .finally(() => this.#again());
    }, everyMs);
  }

  async #deliver(): Promise<void> {
    const { database } = this.#options;
    // Whoever takes one has a minute for it; then another server may.
    const { rows } = await database.run((db) =>
      sql<Due>`
        update vconductor.gateway_request g
        set callback_tries = callback_tries + 1, callback_after = now() + interval '1 minute'
        from (
          select c.id, (select r.outcome from vconductor.run r where r.job_id = c.job_id order by r.id desc limit 1) as outcome
          from vconductor.gateway_request c
          where not callback_done and callback_after <= now()
            and not exists (select from vconductor.job j where j.id = c.job_id and j.state <> 'failed')
          order by callback_after limit ${batch} for update skip locked
        ) due
        where g.id = due.id
        returning g.id, g.callback, g.callback_tries, due.outcome`.execute(db),
    );
    await Promise.all(rows.map((row) => this.#call(row)));
  }

  async #call({ id, callback, callback_tries: tries, outcome }: Due): Promise<void> {
    const { fetch, log, database } = this.#options;
    const status =
      outcome === "done" ? "SUCCESS" : outcome === "cancelled" || outcome === null ? "REVOKED" : "FAILURE";
    const delivered = await fetch(callback, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uuid: id, status }),
      signal: this.#stop.signal,
      timeoutMs: 10_000,
    }).then(
      (answer) => answer.status < 300,
      (error: unknown) => {
        log.warn({ err: error, request: id }, "a callback was not delivered");
        return false;
      },
    );
    if (this.#stop.signal.aborted && !delivered) return;
    const done = delivered || tries >= mostTries;
    await database.run((db) =>
      sql`update vconductor.gateway_request set callback_done = ${done},
          callback_after = now() + ${2 ** tries} * interval '1 second'
        where id = ${id}`.execute(db),
    );
  }
}
