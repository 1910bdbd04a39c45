import { createHmac, randomUUID } from "node:crypto";
import { sameSecret } from "../../access/same-secret.ts";
import type { Database } from "../../database/database.ts";

/**
 * Names of files that are still to come. Whoever has one may upload the file without a token: it is signed with a key that
 * all servers of a database have, and says until when it is good.
 */
export class UploadNames {
  readonly #database: Database;
  #key: Promise<string> | undefined;

  /** @param database of the queues */
  constructor(database: Database) {
    this.#database = database;
  }

  /** @param ending of the name: letters and digits of it are kept @param forMs how long the name is good */
  async issue(ending: string, forMs: number): Promise<string> {
    const stem = `${randomUUID()}-${Math.ceil((Date.now() + forMs) / 1000)}`;
    const rest = withEnding("", ending);
    return `${stem}-${await this.#sign(stem, rest)}${rest}`;
  }

  async isGood(name: string): Promise<boolean> {
    const [, stem = "", until, mac = "", rest = ""] =
      /^([0-9a-f-]{36}-(\d{1,12}))-([0-9a-f]{64})(\.[A-Za-z0-9]+)?$/.exec(name) ?? [];
    if (Number(until) * 1000 < Date.now() || stem === "") return false;
    return sameSecret(mac, await this.#sign(stem, rest));
  }

  async #sign(...parts: readonly string[]): Promise<string> {
    this.#key ??= this.#read().catch((error: unknown) => {
      // Another time the database may be there.
      this.#key = undefined;
      throw error;
    });
    return createHmac("sha256", await this.#key)
      .update(parts.join(""))
      .digest("hex");
  }

  async #read(): Promise<string> {
    const row = await this.#database.run((db) =>
      db.selectFrom("vconductor.installation").select("upload_key").executeTakeFirstOrThrow(),
    );
    return row.upload_key;
  }
}

/** A name that nobody can guess. @param ending as of `UploadNames.issue` */
export function freshName(ending: string): string {
  return withEnding(randomUUID(), ending);
}

function withEnding(name: string, ending: string): string {
  const clean = ending.replace(/[^A-Za-z0-9]/g, "").slice(0, 20);
  return clean === "" ? name : `${name}.${clean}`;
}
