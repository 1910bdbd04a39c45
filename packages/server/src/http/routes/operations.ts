import { Type } from "typebox";
import type { App } from "../app.ts";
import type { HttpContext } from "../context.ts";
import { answers, ref, textBody } from "../schemas.ts";
import { json } from "../send.ts";

const tags = ["Operations"];
const Health = Type.Object({ status: Type.String(), reasons: Type.Array(Type.String()) });

/** For those who operate the server. */
export function operationRoutes(app: App, { readiness, version, metrics }: HttpContext): void {
  app.get(
    "/health/live",
    {
      schema: {
        scope: "public",
        tags,
        summary: "Whether the process is alive",
        operationId: "health_live",
        response: answers({ 200: Health }),
      },
    },
    async (_, reply) => json(reply, { status: "live", reasons: [] }),
  );

  for (const path of ["/health", "/health/ready"] as const) {
    app.get(
      path,
      {
        schema: {
          scope: "public",
          tags,
          summary: "Whether the server can do its work now",
          operationId: path === "/health" ? "health" : "health_ready",
          response: {
            ...answers({ 200: Health }),
            503: Type.Union([Health, ref("Problem")], { description: "Not ready, or stopping" }),
          },
        },
      },
      async (_, reply) => {
        const { ready, reasons } = await readiness();
        if (!ready) reply.code(503).header("retry-after", "1");
        return json(reply, { status: ready ? "ready" : "not ready", reasons });
      },
    );
  }

  app.get(
    "/version",
    {
      schema: {
        scope: "public",
        tags,
        summary: "The versions of what runs here",
        operationId: "version",
        response: answers({
          200: Type.Object({ vconductor: Type.String(), node: Type.String(), vcon: Type.String() }),
        }),
      },
    },
    async (_, reply) => {
      const { vconductor, node, vcon } = version;
      return json(reply, { vconductor, node, vcon });
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        scope: ["metrics:read"],
        tags,
        summary: "Metrics, for Prometheus",
        operationId: "metrics",
        response: answers({ 200: textBody("text/plain", "Prometheus' text format") }),
      },
    },
    async (_, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
