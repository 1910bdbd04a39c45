import { everything, type Viewer } from "../access/principal.ts";
import type { PipelineStore, StoredPipeline } from "./pipeline-store.ts";

/**
 * Definitions of pipelines that a worker has read before. A claim tells which revision was in force; that very
 * one is answered, so a job runs with the definition of the moment it was claimed.
 */
export class PipelineCache {
  readonly #store: PipelineStore;
  readonly #known = new Map<string, StoredPipeline>();

  constructor(store: PipelineStore) {
    this.#store = store;
  }

  /**
   * Whoever queued the job was let into the queue; the pipeline comes with it.
   *
   * @param revision as the claim told it; null where pipelines are in another database: then it is read each time
   * @throws pipeline_not_found
   */
  async get(name: string, revision: number | null): Promise<StoredPipeline> {
    const known = this.#known.get(name);
    if (known !== undefined && revision !== null && known.revision === revision) return known;
    const current = await this.#store.get(name, everything);
    this.#known.set(name, current);
    return current;
  }

  /** A pipeline that another one calls: one that the viewer may use. @throws pipeline_not_found */
  called(name: string, viewer: Viewer): Promise<StoredPipeline> {
    return this.#store.get(name, viewer);
  }
}
