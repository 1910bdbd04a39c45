import { sql } from "kysely";
import type { GatewayConfig, GatewayService } from "../config/gateway-config.ts";
import type { Database } from "../database/database.ts";
import type { RemoteWorkers } from "../work/remote-workers.ts";
import {
  assess,
  initialState,
  type Load,
  type Needs,
  type ScalingRules,
  type ScalingState,
  shares,
  takenBack,
} from "./needs.ts";

/** What a service needs, as it was assessed last. */
export interface ServiceNeeds extends Omit<Needs, "state">, Omit<Load, "serviceSeconds"> {
  readonly service: string;
  readonly queue: string;
  /** Seconds; null: none has been done of late. */
  readonly serviceSeconds: number | null;
  readonly assessedAt: string;
}

export interface LatestNeeds extends ServiceNeeds {
  /** It is so long ago that it need not hold any more: the broker or the database could not be reached. */
  readonly stale: boolean;
}

/** What a service was found to need just now. */
export interface Assessment {
  readonly needs: ServiceNeeds;
  /** Nobody could be told: it is to be found again the next time. */
  readonly takeBack: () => Promise<void>;
}

/** How far back the rates are measured, and in how many runs at most. */
const windowSeconds = 600;
const mostRuns = 1000;

/** What has not been assessed for so many turns, and a minute, does not hold any more. */
const staleTurns = 3;
const staleSeconds = 60;

/** How a queue of Celery's workers stands at their broker; undefined: that cannot be told now. */
export type CeleryLoad = (
  queue: string,
) => Promise<{ readonly ready: number; readonly consumers: number } | undefined>;

/** How many workers the services of the gateway need. What is remembered is in the database: servers take turns. */
export class Scaling {
  readonly #database: Database;
  readonly #workers: RemoteWorkers;
  readonly #config: GatewayConfig;
  readonly #rules: ReadonlyMap<string, ScalingRules>;
  readonly #celeryLoad: CeleryLoad;

  /**
   * @param options.database of the queues
   * @param options.celeryLoad Default: that cannot be told here, and services of Celery are not assessed
   */
  constructor(options: {
    readonly database: Database;
    readonly remoteWorkers: RemoteWorkers;
    readonly config: GatewayConfig;
    readonly celeryLoad?: CeleryLoad;
  }) {
    this.#database = options.database;
    this.#workers = options.remoteWorkers;
    this.#config = options.config;
    this.#rules = rulesFor(options.config);
    this.#celeryLoad = options.celeryLoad ?? (async () => undefined);
  }

  get everySeconds(): number {
    return this.#config.RUBBER_EVAL_INTERVAL ?? 120;
  }

  /** What was found last, of each service that has been assessed. */
  async latest(): Promise<readonly LatestNeeds[]> {
    const old = Math.max(staleSeconds, staleTurns * this.everySeconds);
    const rows = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.gateway_scaling")
        .select(["service", "needs", "assessed_at"])
        .select(sql<boolean>`assessed_at < now() - ${old} * interval '1 second'`.as("stale"))
        .orderBy("service")
        .execute(),
    );
    return rows
      .filter(({ service, needs }) => this.#rules.has(service) && needs !== null)
      .map(({ needs, assessed_at, stale }) => ({
        ...(needs as ServiceNeeds),
        assessedAt: assessed_at.toISOString(),
        stale,
      }));
  }

  /** Assesses the services whose turn it is, each on one server. @returns what was found now */
  async assessDue(): Promise<readonly Assessment[]> {
    const found: Assessment[] = [];
    for (const [name, rules] of this.#rules) {
      const service = this.#config.WORKER_SERVICES[name];
      const assessment = service && (await this.#assess(name, { service, rules }));
      if (assessment !== undefined) found.push(assessment);
    }
    return found;
  }

  async #assess(
    name: string,
    { service, rules }: { readonly service: GatewayService; readonly rules: ScalingRules },
  ): Promise<Assessment | undefined> {
    return await this.#database.transaction(async (tx) => {
      await tx
        .insertInto("vconductor.gateway_scaling")
        .values({
          service: name,
          state: JSON.stringify(initialState),
          needs: "null",
          assessed_at: new Date(0),
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      // A little early, so that a timer that is a little early does not lose a turn.
      const { rows } = await sql<{ state: ScalingState; now: Date }>`
        select state, now() as now from vconductor.gateway_scaling
        where service = ${name} and assessed_at < now() - ${this.everySeconds * 0.9} * interval '1 second'
        for update skip locked`.execute(tx);
      const [row] = rows;
      if (row === undefined) return undefined;
      const load = await this.#load(name, service);
      if (load === undefined) return undefined;
      const { state, ...needs } = assess(load, { rules, state: row.state, now: row.now.getTime() });
      const { serviceSeconds = null, ...counts } = load;
      const queue = service.celery_queue_name;
      const whole = {
        service: name,
        queue,
        ...counts,
        serviceSeconds,
        ...needs,
        assessedAt: row.now.toISOString(),
      };
      await tx
        .updateTable("vconductor.gateway_scaling")
        .set({ state: JSON.stringify(state), needs: JSON.stringify(whole), assessed_at: row.now })
        .where("service", "=", name)
        .execute();
      const [after, before] = [state, row.state];
      return { needs: whole, takeBack: () => this.#takeBack(name, { after, before }) };
    });
  }

  /** Unless something else has been asked for since. */
  async #takeBack(
    name: string,
    { after, before }: { readonly after: ScalingState; readonly before: ScalingState },
  ): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const { rows } = await sql<{ state: ScalingState }>`
        select state from vconductor.gateway_scaling where service = ${name} for update`.execute(tx);
      const [row] = rows;
      if (row?.state.targetAt !== after.targetAt) return;
      await tx
        .updateTable("vconductor.gateway_scaling")
        .set({ state: JSON.stringify(takenBack(row.state, before)) })
        .where("service", "=", name)
        .execute();
    });
  }

  async #load(name: string, service: GatewayService): Promise<Load | undefined> {
    const { celery_queue_name: queue } = service;
    const isCelery = service.transport === "celery";
    const atBroker = isCelery ? await this.#celeryLoad(queue) : undefined;
    if (isCelery && atBroker === undefined) return undefined;
    // A worker of Celery begins when it says so, not when the job is sent to the broker.
    const began = isCelery ? sql`null` : sql`r.claimed_at`;
    const { rows } = await this.#database.run((db) =>
      sql<{ waiting: number; running: number; busy: number; arrived: number; seconds: number | null }>`
        select
          (select count(*) from vconductor.job where queue = ${queue} and state in ('waiting', 'scheduled')) as waiting,
          (select count(*) from vconductor.run where queue = ${queue} and finished_at is null) as running,
          (select count(distinct worker) from vconductor.run where queue = ${queue} and finished_at is null) as busy,
          (select count(*) from vconductor.gateway_request
            where service = ${name} and created_at > now() - ${windowSeconds} * interval '1 second') as arrived,
          (select avg(extract(epoch from r.finished_at - coalesce(g.started_at, ${began}))::float8)
            from (select * from vconductor.run where queue = ${queue} order by id desc limit ${mostRuns}) r
            left join vconductor.gateway_request g on g.job_id = r.job_id
            where r.outcome = 'done' and r.finished_at > now() - ${windowSeconds} * interval '1 second') as seconds`.execute(
        db,
      ),
    );
    const { waiting = 0, running = 0, busy = 0, arrived = 0, seconds = null } = rows[0] ?? {};
    // Of what the broker has been sent, some may wait there.
    const queued = Math.min(running, atBroker?.ready ?? 0);
    const inHand = running - queued;
    const workers = atBroker?.consumers ?? (await this.#workers.count({ queue }));
    return {
      waiting: waiting + queued,
      running: inHand,
      workers,
      idle: Math.max(0, workers - (isCelery ? inHand : busy)),
      arrivals: arrived / windowSeconds,
      serviceSeconds: seconds ?? undefined,
    };
  }
}

function rulesFor(config: GatewayConfig): ReadonlyMap<string, ScalingRules> {
  const names = Object.keys(config.WORKER_SERVICES);
  const most = shares(config.RUBBER_MAX_VM_QTY ?? 50, names);
  return new Map(
    Object.entries(config.WORKER_SERVICES).map(([name, { rubber_params = {} }]) => {
      const maxWorkers = most.get(name) ?? 0;
      return [
        name,
        {
          backorderThreshold: config.RUBBER_BACKORDER_THRESHOLD ?? 3,
          spawnRatio: rubber_params.spawn_ratio ?? 0.2,
          minWorkers: Math.min(maxWorkers, config.RUBBER_MIN_IDLE_WORKERS ?? 1),
          maxWorkers,
          concurrency: rubber_params.concurrency ?? 1,
          bootSeconds: config.RUBBER_SLACKER_TIME_THRESHOLD ?? 300,
          utilisation: config.SCALE_UTILISATION ?? 0.8,
          drainSeconds: config.SCALE_DRAIN_SECONDS ?? 300,
          downSeconds: config.SCALE_DOWN_SECONDS ?? 1200,
        },
      ];
    }),
  );
}
