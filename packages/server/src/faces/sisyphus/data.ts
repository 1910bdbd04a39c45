import type { FastifyRequest } from "fastify";
import type { App } from "../../http/app.ts";
import type { FaceOptions } from "../../http/face.ts";
import { requireStorable } from "../../http/storable.ts";
import type { ModuleData } from "./module-data.ts";
import { sendJson, sendNull, sendText } from "./problems.ts";
import { manage, open, tenantIn, work } from "./route-options.ts";
import { AnyObject } from "./schemas.ts";
import { withMember } from "./with-member.ts";

/** What modules keep, and what the server says of itself. */
export function dataRoutes(
  app: App,
  { context }: FaceOptions,
  { moduleData }: { readonly moduleData: ModuleData },
): void {
  app.get("/data/:module/:name", work("What a module keeps"), async (request, reply) => {
    const value = await moduleData.get(tenantIn(request), placeIn(request));
    return value === undefined ? sendNull(reply, 404) : sendText(reply, value);
  });

  app.post(
    "/data/:module/:name",
    manage("Keep something for a module", { body: AnyObject }),
    async (request, reply) => {
      const place = placeIn(request);
      requireStorable(place, ["path"]);
      const value = withMember(request.bodyText ?? "{}", "name", place.name);
      await moduleData.put(tenantIn(request), { ...place, value });
      return reply.code(204).send();
    },
  );

  app.delete("/data/:module/:name", manage("Delete it"), async (request, reply) => {
    const deleted = await moduleData.delete(tenantIn(request), placeIn(request));
    return deleted ? reply.code(204).send() : sendNull(reply, 404);
  });

  const begun = Date.now();
  app.get("/status/config", manage("The database, and since when the server runs"), async (_, reply) => {
    const { value } = context.config.inForce.find(({ variable }) => variable === "QUEUE_DB_URL") ?? {};
    // The version that front ends look for, of the server whose API this is.
    return sendJson(reply, {
      backend: { POSTGRES_URI: value ?? "" },
      version: "1.3.3",
      uptime: wordsFor(Date.now() - begun),
    });
  });

  app.get("/status/health", open("Whether the server is ready"), async (_, reply) => {
    const { ready } = await context.readiness();
    return sendJson(reply.code(ready ? 200 : 503), { status: ready ? "online" : "offline" });
  });
}

const units = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** For people: "2 hours", "49 seconds". */
function wordsFor(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [unit, size] = units.find(([, least]) => seconds >= least) ?? ["second", 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function placeIn(request: FastifyRequest): { readonly module: string; readonly name: string } {
  const { module, name } = Object(request.params);
  return { module, name };
}
