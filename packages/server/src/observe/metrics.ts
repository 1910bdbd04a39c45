import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { JobQueue } from "../jobs/job-queue.ts";

/** What `GET /metrics` shows, in Prometheus' names and units. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Histogram({
    name: "vconductor_http_request_duration_seconds",
    help: "Time to answer a request, by method, route and status",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [this.registry],
  });
  readonly workerDeaths = new Counter({
    name: "vconductor_worker_deaths_total",
    help: "Pipeline worker processes that ended unexpectedly",
    registers: [this.registry],
  });

  /** @param options.jobs counted, per queue and state, whenever the metrics are read */
  constructor(options: { readonly jobs: JobQueue }) {
    collectDefaultMetrics({ register: this.registry });
    const { jobs } = options;
    const gauge = new Gauge({
      name: "vconductor_jobs",
      help: "Jobs by queue and state",
      labelNames: ["queue", "state"],
      registers: [this.registry],
      async collect() {
        gauge.reset();
        // While the database is away the other metrics are of all the more interest.
        const counts = await jobs.counts().catch(() => []);
        for (const { queue, state, count } of counts) gauge.set({ queue, state }, count);
      },
    });
  }
}
