/**
 * Writes src/ to dist/ as JavaScript, for publishing: Node.js runs no TypeScript inside node_modules. Types are
 * replaced by blanks, so lines and columns stay the same and no source maps are needed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";

const source = join(import.meta.dirname, "src");
const target = join(import.meta.dirname, "dist");

await rm(target, { recursive: true, force: true });
for (const name of await readdir(source, { recursive: true })) {
  if (!/(?<!\.d)\.(?:ts|js)$/.test(name)) continue;
  const text = await readFile(join(source, name), "utf8");
  const script = name.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  const path = join(target, name.replace(/\.ts$/, ".js"));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script.replace(/(\bfrom |\bimport ?\(?)"(\.\.?\/[^"\n]*)\.ts"/g, '$1"$2.js"'));
}
