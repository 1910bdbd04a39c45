import type { FaceName } from "../config/face-settings.ts";
import type { App } from "./app.ts";
import type { HttpContext } from "./context.ts";
import type { RoutePatterns } from "./route-patterns.ts";

/**
 * The API of another system, on ours: its routes, its JSON, its words for what went wrong. It is a part of the API below
 * `/NAME`, and where the setting says so, all of an address of its own, for clients that cannot take a path.
 */
export interface Face {
  readonly name: FaceName;
  /** Adds the routes to an application that has no others below its prefix. */
  readonly add: (app: App, options: FaceOptions) => Promise<void>;
}

export interface FaceOptions {
  readonly context: HttpContext;
  readonly routes: RoutePatterns;
  /** Where it is: "" or for example "/porch". */
  readonly prefix: string;
}

/** Of each route of a face: who may call it is the face's own business, and its own document describes it. */
export const ownRules = { hide: true, scope: "public" } as const;
