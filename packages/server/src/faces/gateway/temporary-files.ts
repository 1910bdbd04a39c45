import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Config } from "../../config.ts";

/** A file that has come, and has no name yet. */
export interface Draft {
  /**
   * Gives it a name, in place of what was there.
   *
   * @param options.isNew nothing may be there
   * @returns whether it has that name now
   */
  keep(name: string, options?: { readonly isNew: boolean }): Promise<boolean>;
  /** Forgets it, unless it has a name. */
  drop(): Promise<void>;
}

/** Files for a while, by name. Their names on the disk are hashes: nothing of a caller's gets there. */
export class TemporaryFiles {
  /** How long they are kept. */
  readonly longestMs: number;
  readonly #directory: string;
  readonly #mostBytes: number;

  constructor({ gateway, gatewayFiles }: Pick<Config, "gateway" | "gatewayFiles">) {
    const { size_limit_gb = 10, max_file_duration_seconds = 86_400 } = gateway?.LOCAL_TEMPORARY_STORAGE ?? {};
    this.#directory = gatewayFiles === "" ? join(tmpdir(), "vconductor-gateway") : gatewayFiles;
    this.#mostBytes = size_limit_gb * 2 ** 30;
    this.longestMs = max_file_duration_seconds * 1000;
  }

  /** Takes a file in; the oldest ones go where there is too much. */
  async receive(content: Readable): Promise<Draft> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await this.tidy();
    const half = join(this.#directory, `${randomUUID()}.half`);
    const drop = () => rm(half, { force: true });
    try {
      await pipeline(content, createWriteStream(half, { mode: 0o600 }));
    } catch (error) {
      await drop();
      throw error;
    }
    const keep: Draft["keep"] = async (name, { isNew } = { isNew: false }) => {
      if (!isNew) await rename(half, this.#pathOf(name));
      else if (await isLinked(half, this.#pathOf(name))) await drop();
      else return false;
      return true;
    };
    return { keep, drop };
  }

  async get(name: string): Promise<{ readonly size: number; open(): Readable } | undefined> {
    const path = this.#pathOf(name);
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : { size: found.size, open: () => createReadStream(path) };
  }

  /** Removes those that are too old, and the oldest of those that are too much. */
  async tidy(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#directory, name);
        const found = await stat(path).catch(() => undefined);
        return { path, size: found?.size ?? 0, at: found?.mtimeMs ?? 0 };
      }),
    );
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size, at } of files.toSorted((a, b) => a.at - b.at)) {
      if (total <= this.#mostBytes && at > Date.now() - this.longestMs) continue;
      await rm(path, { force: true });
      total -= size;
    }
  }

  #pathOf(name: string): string {
    return join(this.#directory, createHash("sha256").update(name).digest("hex"));
  }
}

/** Whether a file has a second name now; not where there is one of that name already. */
async function isLinked(path: string, other: string): Promise<boolean> {
  try {
    await link(path, other);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
