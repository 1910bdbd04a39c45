import { Gauge } from "prom-client";
import type { LatestNeeds, Scaling } from "../../gateway/scaling.ts";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { json } from "../../http/send.ts";
import { requireCaller } from "./authentication.ts";
import { readOptions } from "./read-options.ts";

const gauges = [
  ["need", "Workers to add to a service of the gateway; negative: to release", "need"],
  ["desired_workers", "Workers that a service of the gateway should have", "desired"],
  ["workers", "Workers that a service of the gateway has", "workers"],
  ["waiting_jobs", "Jobs of a service of the gateway that wait", "waiting"],
  ["arrivals_per_second", "New jobs of a service of the gateway, of late", "arrivals"],
  ["service_seconds", "How long a job of a service of the gateway takes, of late", "serviceSeconds"],
] as const satisfies readonly (readonly [string, string, keyof LatestNeeds])[];

/** How many workers each service needs: for people, and as metrics for autoscalers. */
export function needsRoutes(app: App, { context }: FaceOptions, scaling: Scaling): void {
  app.get("/needs", readOptions(), async (request, reply) => {
    await requireCaller(request, context);
    return json(reply, { services: (await scaling.latest()).map(needsJson) });
  });

  const { registry } = context.metrics;
  let fresh: Promise<readonly LatestNeeds[]> | undefined;
  /** One look serves all gauges of a reading. */
  const look = () => {
    fresh ??= scaling
      .latest()
      .catch((): readonly LatestNeeds[] => [])
      .finally(() => setImmediate(() => (fresh = undefined)));
    return fresh;
  };
  const show = (name: string, help: string, figureOf: (needs: LatestNeeds) => number | null) => {
    const full = `vconductor_gateway_${name}`;
    // The API at an address of its own shows the same.
    if (registry.getSingleMetric(full) !== undefined) return;
    const gauge = new Gauge({
      name: full,
      help,
      labelNames: ["service"],
      registers: [registry],
      async collect() {
        gauge.reset();
        for (const needs of await look()) {
          const value = figureOf(needs);
          if (value !== null) gauge.set({ service: needs.service }, value);
        }
      },
    });
  };
  for (const [name, help, member] of gauges) {
    // An autoscaler does nothing where it is told nothing; what does not hold any more would mislead it.
    show(name, help, (needs) => (needs.stale ? null : needs[member]));
  }
  show(
    "assessed_timestamp_seconds",
    "When it was last looked how many workers a service of the gateway needs",
    ({ assessedAt }) => Date.parse(assessedAt) / 1000,
  );
}

function needsJson(needs: LatestNeeds) {
  const { arrivals, serviceSeconds, assessedAt, ...rest } = needs;
  return { ...rest, arrivals_per_second: arrivals, service_seconds: serviceSeconds, assessed_at: assessedAt };
}
