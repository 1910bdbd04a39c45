import type { FastifyRequest } from "fastify";
import type { Viewer } from "../../access/principal.ts";
import { viewerIn } from "../../http/authentication.ts";

/** Of the routes of those who give work, and look after it. */
export const manage = { hide: true, scope: ["queue:write", "process:run"] } as const;
/** Of the routes that workers need. */
export const work = { hide: true, scope: ["job:work", "queue:write"] } as const;

/** Each tenant has a queue, workers and module data of its own: an administrator sees no others here. */
export function tenantIn(request: FastifyRequest): Viewer {
  return { ...viewerIn(request), all: false };
}
