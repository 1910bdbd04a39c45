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
} from "./needs.ts";

/** What a service needs, as it was assessed last. */
export interface ServiceNeeds extends Omit<Needs, "state">, Omit<Load, "serviceSeconds"> {
  readonly service: string;
  readonly queue: string;
  /** Seconds; null: none has been done of late. */
  readonly serviceSeconds: number | null;
  readonly assessedAt: string;
}

/** How far back the rates are measured. */
const windowSeconds = 600;

/** How many workers the services of the gateway need. What is remembered is in the database: servers take turns. */
export class Scaling {
  readonly #database: Database;
  readonly #workers: RemoteWorkers;
  readonly #config: GatewayConfig;
  readonly #rules: ReadonlyMap<string, ScalingRules>;

  /** @param options.database of the queues */
  constructor(options: {
    readonly database: Database;
    readonly remoteWorkers: RemoteWorkers;
    readonly config: GatewayConfig;
  }) {
    this.#database = options.database;
    this.#workers = options.remoteWorkers;
    this.#config = options.config;
    this.#rules = rulesFor(options.config);
  }

  get everySeconds(): number {
    return this.#config.RUBBER_EVAL_INTERVAL ?? 120;
  }

  /** What was found last, of each service that has been assessed. */
  async latest(): Promise<readonly ServiceNeeds[]> {
    const rows = await this.#database.run((db) =>
      db.selectFrom("vconductor.gateway_scaling").select(["service", "needs"]).orderBy("service").execute(),
    );
    return rows
      .filter(({ service, needs }) => this.#rules.has(service) && needs !== null)
      .map(({ needs }) => needs as ServiceNeeds);
  }

  /** Assesses the services whose turn it is, each on one server. @returns what was found now */
  async assessDue(): Promise<readonly ServiceNeeds[]> {
    const found: ServiceNeeds[] = [];
    for (const [name, rules] of this.#rules) {
      const service = this.#config.WORKER_SERVICES[name];
      const needs = service && (await this.#assess(name, { service, rules }));
      if (needs !== undefined) found.push(needs);
    }
    return found;
  }

  async #assess(
    name: string,
    { service, rules }: { readonly service: GatewayService; readonly rules: ScalingRules },
  ): Promise<ServiceNeeds | undefined> {
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
      return whole;
    });
  }

  async #load(name: string, { celery_queue_name: queue }: GatewayService): Promise<Load> {
    const workers = await this.#workers.count({ queue });
    const { rows } = await this.#database.run((db) =>
      sql<{ waiting: number; running: number; busy: number; arrived: number; seconds: number | null }>`
        select
          (select count(*) from vconductor.job where queue = ${queue} and state in ('waiting', 'scheduled')) as waiting,
          (select count(*) from vconductor.run where queue = ${queue} and finished_at is null) as running,
          (select count(distinct worker) from vconductor.run where queue = ${queue} and finished_at is null) as busy,
          (select count(*) from vconductor.gateway_request
            where service = ${name} and created_at > now() - ${windowSeconds} * interval '1 second') as arrived,
          (select avg(seconds) from (
            select extract(epoch from finished_at - claimed_at)::float8 as seconds from vconductor.run
            where queue = ${queue} and outcome = 'done' and finished_at > now() - ${windowSeconds} * interval '1 second'
            order by id desc limit 1000) done) as seconds`.execute(db),
    );
    const { waiting = 0, running = 0, busy = 0, arrived = 0, seconds = null } = rows[0] ?? {};
    return {
      waiting,
      running,
      workers,
      idle: Math.max(0, workers - busy),
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
