import type { Viewer } from "../access/principal.ts";
import type { PipelineDefinition } from "./definition.ts";

export interface StoredPipeline {
  readonly name: string;
  readonly definition: PipelineDefinition;
  /** 1 when first stored, then one more with every replacement. */
  readonly revision: number;
  readonly tenant: string;
}

/**
 * The store of pipeline definitions. Each uses its tenant's and those of the default tenant, and changes its tenant's.
 * A write has committed when it answers.
 */
export interface PipelineStore {
  /** Creates or replaces. @throws forbidden the name is that of another tenant's pipeline */
  put(options: {
    readonly name: string;
    readonly definition: PipelineDefinition;
    readonly viewer: Viewer;
  }): Promise<{ readonly revision: number }>;
  /** @throws pipeline_not_found */
  get(name: string, viewer: Viewer): Promise<StoredPipeline>;
  /** @throws pipeline_not_found, forbidden (it is another tenant's) */
  delete(name: string, viewer: Viewer): Promise<void>;
  list(viewer: Viewer): Promise<readonly string[]>;
}
