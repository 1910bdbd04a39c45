import type { HTTPMethods, RouteOptions } from "fastify";
import type { App } from "../../http/app.ts";

/** A route with and without a slash at its end: clients use both, and not all of them follow a redirect. */
export function both(
  app: App,
  method: HTTPMethods,
  path: string,
  options: Omit<RouteOptions, "method" | "url">,
): void {
  for (const url of [path, `${path}/`]) app.route({ ...options, schema: { ...options.schema }, method, url });
}
