import { createHash, randomUUID } from "node:crypto";
import type { JsonValue } from "@vconductor/vcon";
import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { VconductorError } from "../errors.ts";
import type { MediaBackend } from "../media/media-backend.ts";

/** A larger one lies in the media store, with a pointer to it in the database. */
const mostInlineBytes = 64 * 1024;
const mark = "$kept";
const sweepAtOnce = 100;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Pointer {
  readonly [mark]: {
    /** In the media store, given to nothing else. `/media/{name}` takes hashes only, and so does not show it. */
    readonly name: string;
    /** `sha512-` and base64url. */
    readonly content_hash: string;
    /** Bytes. */
    readonly size: number;
  };
}

/**
 * The JSON that jobs are given and that comes of them, of any size. What is kept for others goes with them: `sweep` deletes
 * what no job, run or request has any more.
 */
export class JobValues {
  readonly #database: Database;
  readonly #backend: MediaBackend;

  /** @param options.database of the queues */
  constructor(options: { readonly database: Database; readonly backend: MediaBackend }) {
    this.#database = options.database;
    this.#backend = options.backend;
  }

  /**
   * What the database is to hold of a value, within the hour: the value itself, or a pointer.
   * @throws provider_failed the media store failed
   */
  async keep(value: unknown): Promise<unknown> {
    const text = JSON.stringify(value ?? null);
    const bytes = Buffer.from(text);
    // One that looks like a pointer is kept by one.
    if (bytes.length <= mostInlineBytes && !isPointer(value) && isStorable(text)) return value ?? null;
    const name = randomUUID();
    const size = bytes.length;
    // Known before it is there: whatever happens next, it can be swept.
    await this.#database.run((db) => db.insertInto("vconductor.kept_value").values({ name, size }).execute());
    await this.#backend.write(name, { bytes, mediatype: "application/json" });
    return { [mark]: { name, content_hash: hashOf(bytes), size } } satisfies Pointer;
  }

  /** The value that `keep` was given. @throws not_found it is not in the media store any more @throws provider_failed */
  async read(held: unknown): Promise<JsonValue> {
    if (!isPointer(held)) return isJson(held) ? held : null;
    const { name, content_hash: hash } = held[mark];
    const bytes = await this.#backend.read(name);
    if (bytes === undefined) {
      throw new VconductorError("not_found", `${name}, which was kept of a job, is not in the media store`);
    }
    if (hashOf(bytes) !== hash) {
      const text = `media store: ${name}, which was kept of a job, is damaged: restore it from a backup`;
      throw new VconductorError("provider_failed", text);
    }
    return JSON.parse(Buffer.from(bytes).toString());
  }

  /** @returns how many were deleted @throws provider_failed the media store failed; the rest is left for the next time */
  async sweep(): Promise<number> {
    for (let deleted = 0; ; ) {
      const names = await this.#unused();
      for (const name of names) await this.#backend.delete(name);
      if (names.length > 0) {
        await this.#database.run((db) =>
          db
            .deleteFrom("vconductor.kept_value")
            .where("name", "in", [...names])
            .execute(),
        );
      }
      deleted += names.length;
      if (names.length < sweepAtOnce) return deleted;
    }
  }

  async #unused(): Promise<readonly string[]> {
    const { rows } = await this.#database.run((db) =>
      sql<{ name: string }>`
        select name from vconductor.kept_value v
        where kept_at < now() - interval '1 hour'
          and not exists (select from vconductor.job where payload ? '$kept' and payload #>> '{$kept,name}' = v.name)
          and not exists (select from vconductor.run
            where job -> 'payload' ? '$kept' and job #>> '{payload,$kept,name}' = v.name)
          and not exists (select from vconductor.run where result ? '$kept' and result #>> '{$kept,name}' = v.name)
          and not exists (select from vconductor.sisyphus_job where info ? '$kept' and info #>> '{$kept,name}' = v.name)
          and not exists (select from vconductor.gateway_request
            where answer -> 'result' ? '$kept' and answer #>> '{result,$kept,name}' = v.name)
        limit ${sweepAtOnce}`.execute(db),
    );
    return rows.map(({ name }) => name);
  }
}

function hashOf(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64url")}`;
}

/** Whatever the database gave is JSON, unless it is nothing. */
function isJson(held: unknown): held is JsonValue {
  return held !== undefined;
}

/** PostgreSQL's JSON has no NUL character and no half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !/\\u(?:0000|d[89a-f])/i.test(text);
}

function isPointer(value: unknown): value is Pointer {
  if (typeof value !== "object" || value === null || !(mark in value)) return false;
  const { name, content_hash: hash }: { name?: unknown; content_hash?: unknown } = Object(value[mark]);
  return typeof name === "string" && uuid.test(name) && typeof hash === "string";
}
