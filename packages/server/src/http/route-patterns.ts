import type { App } from "./app.ts";

/** Which methods a path has: for telling a wrong method from a wrong path. */
export class RoutePatterns {
  readonly #patterns = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** Learns of every route that is added to the application from now on. */
  constructor(app: App) {
    app.addHook("onRoute", ({ method, url }) => {
      // The catch-all of CORS preflights is not a path of the API.
      if (url !== "*") this.#add([method].flat(), url);
    });
  }

  methods(path: string): readonly string[] {
    const found = [...this.#patterns.values()].filter((entry) => entry.pattern.test(path));
    return [...new Set(found.flatMap((entry) => [...entry.methods]))];
  }

  #add(methods: readonly string[], url: string): void {
    const entry = this.#patterns.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
    for (const method of methods) entry.methods.add(method);
    this.#patterns.set(url, entry);
  }
}

function toPattern(url: string): RegExp {
  const parts = url.split("/").map((part) => {
    if (part.startsWith(":")) return "[^/]+";
    return part === "*" ? ".*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}
