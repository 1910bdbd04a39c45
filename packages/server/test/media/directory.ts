import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { readConfig } from "../../src/config.ts";
import type { ContentStore } from "../../src/media/content-store.ts";
import { openMedia } from "../../src/media/open-media.ts";
import { log } from "../processors/silent-log.ts";

export const mediaUrl = "https://calls.example/media";

export interface MediaDirectory {
  readonly directory: string;
  readonly store: ContentStore;
  /** The settings that name it. */
  readonly env: Readonly<Record<string, string>>;
  /** The paths of its files, relative to it, in order. */
  files(): Promise<readonly string[]>;
}

/** A media store in a directory that is not there yet; deleted after the tests of the file. */
export async function mediaDirectory(): Promise<MediaDirectory> {
  const parent = await mkdtemp(join(tmpdir(), "vconductor-media-"));
  afterAll(() => rm(parent, { recursive: true, force: true }));
  const directory = join(parent, "of", "media");
  const env = { MEDIA_STORE: `directory:${directory}`, MEDIA_URL: mediaUrl };
  return {
    directory,
    env,
    store: openMedia(readConfig(env), log),
    async files() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      return files.map((file) => join(file.parentPath, file.name).slice(directory.length + 1)).toSorted();
    },
  };
}
