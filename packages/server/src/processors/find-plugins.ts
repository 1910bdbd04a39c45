import { existsSync } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { isRecord } from "./json.ts";

const sourceFile = /(?<!\.(?:d|test|spec))\.(?:ts|js|mjs)$/;
const indexFiles = ["index.ts", "index.mjs", "index.js"];

/** Conditions of `exports` that count. Only what is not installed may be taken from its source. */
const installed = new Set(["node", "import", "default"]);
const inPlace = new Set(["source", ...installed]);

/**
 * What may be a plugin in a directory of PLUGIN_PATHS, in order of names: each source file, and each directory. A
 * directory that is a package itself is one plugin.
 */
export async function candidatesIn(directory: string): Promise<readonly string[]> {
  const manifest = await readManifest(directory).catch(() => undefined);
  if (manifest?.exports !== undefined) return [directory];
  // `npm init` writes a `main` that is not there into every package.json.
  if (typeof manifest?.main === "string" && existsSync(join(directory, manifest.main))) return [directory];
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules")
    .filter((entry) => !entry.isFile() || sourceFile.test(entry.name))
    .map((entry) => join(directory, entry.name))
    .toSorted();
}

/**
 * The module to import for a candidate: the file itself, or a package's entry. Undefined for a directory that holds
 * no package, and for what is neither file nor directory.
 */
export async function entryOf(candidate: string): Promise<string | undefined> {
  const found = await stat(candidate);
  if (found.isDirectory()) return packageEntry(candidate, inPlace);
  return found.isFile() && sourceFile.test(candidate) ? candidate : undefined;
}

/**
 * The entry of an installed package, looked for first from the directory, as a project there would, and then from
 * this server's own place.
 *
 * @throws Error that says what is missing and how to mend it
 */
export async function installedEntry(name: string, directory: string): Promise<string> {
  const manifest =
    manifestFrom(name, pathToFileURL(join(directory, "package.json")).href) ??
    manifestFrom(name, import.meta.url);
  if (manifest === undefined) {
    const text = `is not installed, neither for ${directory} nor for the server; install it with: npm install ${name}`;
    throw new Error(text);
  }
  const entry = await packageEntry(dirname(manifest), installed);
  if (entry === undefined) {
    throw new Error(
      `has no entry: in ${manifest}, "exports" or "main" must name the module that exports the processors`,
    );
  }
  await requireJavaScript(entry);
  return entry;
}

function manifestFrom(name: string, base: string): string | undefined {
  try {
    return findPackageJSON(name, base);
  } catch {
    return undefined;
  }
}

/** A package that is linked to its sources elsewhere may be TypeScript. */
async function requireJavaScript(entry: string): Promise<void> {
  const real = await realpath(entry);
  if (!/\.[cm]?ts$/.test(real) || !real.includes(`${sep}node_modules${sep}`)) return;
  throw new Error(`its entry ${entry} is TypeScript. ${notInNodeModules}`);
}

export const notInNodeModules =
  "Node.js runs no TypeScript inside node_modules: compile the package to JavaScript before it is published, and " +
  'have its "exports" name the result.';

/** What `import` of a package directory would give: its `exports` or `main`, else its index file. */
async function packageEntry(directory: string, conditions: ReadonlySet<string>): Promise<string | undefined> {
  const manifest = await readManifest(directory);
  if (manifest?.exports !== undefined) {
    const path = exportedPath(manifest.exports, conditions);
    return path === undefined ? undefined : join(directory, path);
  }
  if (typeof manifest?.main === "string") return join(directory, manifest.main);
  const index = indexFiles.find((name) => existsSync(join(directory, name)));
  return index === undefined ? undefined : join(directory, index);
}

async function readManifest(directory: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const path = join(directory, "package.json");
  if (!existsSync(path)) return undefined;
  const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
  if (!isRecord(manifest)) throw new Error("its package.json is not an object");
  return manifest;
}

/** The first that applies, in the order of the file, as Node.js has it. */
function exportedPath(exported: unknown, conditions: ReadonlySet<string>): string | undefined {
  if (typeof exported === "string") return exported;
  if (!isRecord(exported)) return undefined;
  for (const [key, value] of Object.entries(exported)) {
    const path = key === "." || conditions.has(key) ? exportedPath(value, conditions) : undefined;
    if (path !== undefined) return path;
  }
  return undefined;
}
