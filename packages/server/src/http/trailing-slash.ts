import type { App } from "./app.ts";
import type { RoutePatterns } from "./route-patterns.ts";

/**
 * A URL with a slash too many is redirected to the one without (307: method and body stay), as the reference does.
 * The router alone would take the nothing after the slash for an empty name.
 */
export function addTrailingSlash(app: App, routes: RoutePatterns): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { url } = request;
    const end = url.indexOf("?");
    const length = end < 0 ? url.length : end;
    if (length < 2 || url[length - 1] !== "/" || /[*/]$/.test(request.routeOptions.url ?? "")) return done();
    // With its slash it is a path of its own, for other methods: saying so is not to take a detour.
    if (request.is404 && routes.methods(url.slice(0, length)).length > 0) return done();
    const path = withoutSlashes(url.slice(0, length));
    // Only paths that exist are redirected, so that no crafted path leads to another host.
    if (routes.methods(path).length > 0) {
      reply
        .code(307)
        .header("location", `${path}${url.slice(length)}`)
        .send();
    } else if (request.is404) done();
    else reply.callNotFound();
  });
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
