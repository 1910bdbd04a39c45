import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MediaBackend } from "./media-backend.ts";

/** Content in files of a directory, spread over subdirectories by the first letters of its name. */
export function directoryBackend(directory: string): MediaBackend {
  const pathOf = (name: string) => join(directory, name.slice(0, 2), name.slice(2, 4), name);
  return {
    async write(name, { bytes, mediatype }) {
      const path = pathOf(name);
      const top = await makeDirectory(directory, dirname(path));
      if (!(await isWhole(path, { name, size: bytes.length }))) {
        // The content comes last: where it is, its media type is too.
        await writeWhole(`${path}.type`, Buffer.from(mediatype));
        await writeWhole(path, bytes);
      }
      // Also of what was there: whoever wrote it may not have come this far.
      await syncDirectories(dirname(path), top);
    },

    read: (name) => unlessMissing(() => readFile(pathOf(name))),

    async open(name) {
      const path = pathOf(name);
      const found = await unlessMissing(() => stat(path));
      if (found === undefined) return undefined;
      const mediatype = (await unlessMissing(() => readFile(`${path}.type`, "utf8"))) ?? "";
      return {
        size: found.size,
        mediatype,
        stream: async (range) => (await open(path)).createReadStream({ ...range }),
      };
    },

    async delete(name) {
      // The content first: where it is, its media type is too.
      await rm(pathOf(name), { force: true });
      await rm(`${pathOf(name)}.type`, { force: true });
    },
  };
}

async function unlessMissing<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Is it there as it should be? What a disk damaged is written anew, because the caller is about to let go of its own. */
async function isWhole(
  path: string,
  { name, size }: { readonly name: string; readonly size: number },
): Promise<boolean> {
  const found = await unlessMissing(() => stat(path));
  if (found?.size !== size) return false;
  const hash = createHash("sha512");
  const file = await open(path);
  for await (const part of file.createReadStream()) hash.update(part);
  return hash.digest("base64url") === name;
}

/** Under a name of its own first: a crash leaves no half of a file under the name that others read. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const file = await open(draft, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** @returns the highest directory in which a name is new, or may be: `directory`, or where that was made in */
async function makeDirectory(directory: string, path: string): Promise<string> {
  const first = await mkdir(path, { recursive: true });
  return first === undefined || first.length > directory.length ? directory : dirname(first);
}

/** A name outlasts a power cut once its directory is on disk, and that one's name in turn. */
async function syncDirectories(lowest: string, top: string): Promise<void> {
  // Windows cannot open directories, and keeps names safe by itself.
  if (process.platform === "win32") return;
  for (let path = lowest; path.length >= top.length; path = dirname(path)) {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    if (path === dirname(path)) return;
  }
}
