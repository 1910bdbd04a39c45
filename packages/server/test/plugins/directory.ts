import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];
afterAll(() => Promise.all(made.splice(0).map((path) => rm(path, { recursive: true, force: true }))));

/** A temporary directory with these files, deleted after the tests of the file. */
export async function directory(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "plugins-"));
  made.push(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** A plugin in JavaScript that sets the parameter `said` to the text. */
export function source(name: string, says: string, more = ""): string {
  return `export default {
  name: ${JSON.stringify(name)}, title: "T", description: "D", version: "1.0.0",
  options: { type: "object", properties: {} }, ${more}
  process: (io) => { io.parameters.set("said", ${JSON.stringify(says)}); return io; },
};`;
}
