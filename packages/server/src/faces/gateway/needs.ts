import { Gauge } from "prom-client";
import type { Scaling, ServiceNeeds } from "../../gateway/scaling.ts";
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
] as const satisfies readonly (readonly [string, string, keyof ServiceNeeds])[];

/** How many workers each service needs: for people, and as metrics for autoscalers. */
export function needsRoutes(app: App, { context }: FaceOptions, scaling: Scaling): void {
  app.get("/needs", readOptions(), async (request, reply) => {
    await requireCaller(request, context);
    return json(reply, { services: (await scaling.latest()).map(needsJson) });
  });

  const { registry } = context.metrics;
  let fresh: Promise<readonly ServiceNeeds[]> | undefined;
  /** One look serves all gauges of a reading. */
  const look = () => {
    fresh ??= scaling
      .latest()
      .catch((): readonly ServiceNeeds[] => [])
      .finally(() => setImmediate(() => (fresh = undefined)));
    return fresh;
  };
  for (const [name, help, member] of gauges) {
    const full = `vconductor_gateway_${name}`;
    // The API at an address of its own shows the same.
    if (registry.getSingleMetric(full) !== undefined) continue;
    const gauge = new Gauge({
      name: full,
      help,
      labelNames: ["service"],
      registers: [registry],
      async collect() {
        gauge.reset();
        for (const needs of await look()) {
          const value = needs[member];
          if (value !== null) gauge.set({ service: needs.service }, value);
        }
      },
    });
  }
}

function needsJson(needs: ServiceNeeds) {
  const { arrivals, serviceSeconds, assessedAt, ...rest } = needs;
  return { ...rest, arrivals_per_second: arrivals, service_seconds: serviceSeconds, assessed_at: assessedAt };
}
