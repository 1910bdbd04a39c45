import type { Viewer } from "../access/principal.ts";
import { own } from "../access/visible.ts";
import type { Database } from "../database/database.ts";
import type { MediaStore } from "../processors/define.ts";
import type { ContentStore } from "./content-store.ts";
import type { StoredMedia } from "./media-backend.ts";

/** Content that is kept once, however many put it there; each tenant sees what it has put there itself. */
export class TenantMedia {
  readonly #content: ContentStore;
  readonly #database: Database;

  constructor(options: { readonly content: ContentStore; readonly database: Database }) {
    this.#content = options.content;
    this.#database = options.database;
  }

  /** The store as the viewer sees it. */
  of(viewer: Viewer): MediaStore {
    return {
      put: async (content) => {
        const kept = await this.#content.put(content);
        await this.#claim(this.#content.nameIn(kept.url), viewer);
        return kept;
      },
      get: async (url) =>
        (await this.#sees(this.#content.nameIn(url), viewer)) ? await this.#content.get(url) : undefined,
    };
  }

  /** As `open` of the content store, for what the viewer sees. */
  async open(name: string, viewer: Viewer): Promise<StoredMedia | undefined> {
    return (await this.#sees(name, viewer)) ? await this.#content.open(name) : undefined;
  }

  async #claim(name: string | undefined, { tenant }: Viewer): Promise<void> {
    if (name === undefined) return;
    await this.#database.run((db) =>
      db
        .insertInto("vconductor.media_owner")
        .values({ name, tenant })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  }

  async #sees(name: string | undefined, viewer: Viewer): Promise<boolean> {
    if (name === undefined || viewer.all) return name !== undefined;
    const row = await this.#database.run((db) =>
      db
        .selectFrom("vconductor.media_owner")
        .select("name")
        .where("name", "=", name)
        .where(own(viewer))
        .executeTakeFirst(),
    );
    return row !== undefined;
  }
}
