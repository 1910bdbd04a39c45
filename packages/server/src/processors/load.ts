import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { builtin } from "./builtin/index.ts";
import type { Processor, ProcessorLog } from "./define.ts";
import { isRecord } from "./json.ts";
import { toProcessors } from "./plugin.ts";
import { type PluginProblem, ProcessorRegistry } from "./registry.ts";

export interface LoadProcessors {
  /** Directories of plugins, in order: each file and each package directory in them is one. */
  readonly pluginPaths?: readonly string[];
  /** npm packages that are plugins. */
  readonly packages?: readonly string[];
  readonly log: ProcessorLog;
}

/**
 * The built-in processors and those of all plugins. A plugin that cannot be loaded is logged, listed in the
 * registry's `problems`, and left out; so is a name that is taken, unless the plugin says `replace: true`.
 */
export async function loadProcessors({ pluginPaths = [], packages = [], log }: LoadProcessors) {
  const processors = new Map<string, Processor>(builtin.map((processor) => [processor.name, processor]));
  const problems: PluginProblem[] = [];
  const report = (source: string, error: unknown) => {
    const problem = { source, message: error instanceof Error ? error.message : String(error) };
    problems.push(problem);
    log.error(problem, `plugin not loaded: ${source}: ${problem.message}`);
  };
  const load = async (source: string, specifier: string) => {
    try {
      const module: unknown = await import(specifier);
      for (const processor of toProcessors(isRecord(module) ? module.default : undefined)) {
        if (processors.has(processor.name) && processor.replace !== true) {
          report(source, new Error(`the name ${processor.name} is taken; to replace it, say replace: true`));
        } else processors.set(processor.name, processor);
      }
    } catch (error) {
      report(source, error);
    }
  };
  for (const directory of pluginPaths) {
    try {
      for (const path of await findPlugins(resolve(directory))) await load(path, pathToFileURL(path).href);
    } catch (error) {
      report(directory, error);
    }
  }
  for (const name of packages) await load(name, name);
  return new ProcessorRegistry(processors.values(), problems);
}

const sourceFile = /(?<!\.d)\.(?:ts|js|mjs)$/;

/** The modules to import from a directory, by name: its source files, and the entry of each package in it. */
async function findPlugins(directory: string): Promise<string[]> {
  const found: string[] = [];
  const names = (await readdir(directory)).toSorted();
  for (const name of names) {
    if (name.startsWith(".") || name === "node_modules") continue;
    const path = join(directory, name);
    if ((await stat(path)).isDirectory()) {
      const entry = await packageEntry(path);
      if (entry !== undefined) found.push(entry);
    } else if (sourceFile.test(name)) found.push(path);
  }
  return found;
}

/** What `import` of a package directory would give: its `exports` or `main`, else its index file. */
async function packageEntry(directory: string): Promise<string | undefined> {
  const names = await readdir(directory);
  if (names.includes("package.json")) {
    const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    const main = isRecord(manifest) ? (exportedPath(manifest.exports) ?? manifest.main) : undefined;
    if (typeof main === "string") return join(directory, main);
  }
  const index = ["index.ts", "index.mjs", "index.js"].find((name) => names.includes(name));
  return index === undefined ? undefined : join(directory, index);
}

function exportedPath(exported: unknown): string | undefined {
  if (typeof exported === "string") return exported;
  if (!isRecord(exported)) return undefined;
  return exportedPath(exported["."] ?? exported.node ?? exported.import ?? exported.default);
}
