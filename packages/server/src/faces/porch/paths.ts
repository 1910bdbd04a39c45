import type { FastifyReply, FastifyRequest, HTTPMethods, RouteOptions } from "fastify";
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

/** Where a page is full, its Link header leads to the next: the same query, after the last one of it. */
export function linkNext(
  { query }: FastifyRequest,
  reply: FastifyReply,
  { limit, page }: { readonly limit: number; readonly page: readonly { readonly id: number | undefined }[] },
): void {
  const last = page.at(-1);
  if (last === undefined || page.length < limit) return;
  const next = new URLSearchParams();
  for (const [name, value] of Object.entries(Object(query))) {
    if (value !== undefined) next.set(name, String(value));
  }
  next.set("after", String(last.id));
  reply.header("link", `<?${next}>; rel="next"`);
}
