import type { FastifyRequest, FastifySchema } from "fastify";
import type { Viewer } from "../../access/principal.ts";
import { type RouteScope, viewerIn } from "../../http/authentication.ts";

/** What a route takes. */
type Input = Pick<FastifySchema, "body" | "querystring">;

const options =
  (scope: RouteScope) =>
  (summary: string, input: Input = {}) => ({
    // The document of this API has them, ours has not.
    schema: { hide: true, scope, summary, ...input },
    // Of those that answer GET.
    exposeHeadRoute: true,
  });

/** Of the routes of those who give work, and look after it. */
export const manage = options(["queue:write", "process:run"]);
/** Of the routes that workers need. */
export const work = options(["job:work", "queue:write"]);
/** Of the routes that everybody may ask. */
export const open = options("public");

/** Each tenant has a queue, workers and module data of its own: an administrator sees no others here. */
export function tenantIn(request: FastifyRequest): Viewer {
  return { ...viewerIn(request), all: false };
}
