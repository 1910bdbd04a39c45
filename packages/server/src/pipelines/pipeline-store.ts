import type { PipelineDefinition } from "./definition.ts";

export interface StoredPipeline {
  readonly name: string;
  readonly definition: PipelineDefinition;
  /** 1 when first stored, then one more with every replacement. */
  readonly revision: number;
}

/** The store of pipeline definitions. A write has committed when it answers. */
export interface PipelineStore {
  /** Creates or replaces. */
  put(options: {
    readonly name: string;
    readonly definition: PipelineDefinition;
  }): Promise<{ readonly revision: number }>;
  /** @throws pipeline_not_found */
  get(name: string): Promise<StoredPipeline>;
  /** @throws pipeline_not_found */
  delete(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
}
