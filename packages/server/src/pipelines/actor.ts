import { everything, type Principal, type Viewer, viewerOf } from "../access/principal.ts";
import type { StoredPipeline } from "./pipeline-store.ts";

/** For whom a pipeline works: what it may read and save, and whom its follow-up jobs are for. */
export interface Actor {
  /** Undefined: nobody in particular, who may do everything. */
  readonly principal: Principal | undefined;
  readonly viewer: Viewer;
}

/** Whoever asked for the run; or the pipeline itself, if its definition says so (`run_as`). */
export function actorOf(pipeline: StoredPipeline, caller: Principal | undefined): Actor {
  const own = pipeline.definition.pipeline_options.run_as === "pipeline";
  return toActor(own ? principalOf(pipeline) : caller);
}

export function toActor(principal: Principal | undefined): Actor {
  return { principal, viewer: principal === undefined ? everything : viewerOf(principal) };
}

/** What it may do is in its tenant, and in the access lists that name `pipeline:NAME`. */
function principalOf({ name, tenant }: StoredPipeline): Principal {
  const scopes = ["vcon:read", "vcon:write", "process:run"] as const;
  return { id: `pipeline:${name}`, name, via: "pipeline", tenant, groups: [], scopes };
}
