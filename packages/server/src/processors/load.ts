import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { builtin } from "./builtin/index.ts";
import type { Processor, ProcessorLog } from "./define.ts";
import { candidatesIn, entryOf, installedEntry, notInNodeModules } from "./find-plugins.ts";
import { isRecord } from "./json.ts";
import { toProcessors } from "./plugin.ts";
import { lendPackages } from "./plugin-imports.ts";
import { type PluginProblem, ProcessorRegistry, type ProcessorSource } from "./registry.ts";

export interface LoadProcessors {
  /** Directories of plugins, in order: each file and each package directory in them is one. */
  readonly pluginPaths?: readonly string[];
  /** npm packages that are plugins. */
  readonly packages?: readonly string[];
  /** Where packages are looked for first. Default: the working directory */
  readonly directory?: string;
  readonly log: ProcessorLog;
}

/**
 * The built-in processors and those of all plugins. A plugin that cannot be loaded is logged, listed in the
 * registry's `problems`, and left out; so is a name that is taken, unless the plugin says `replace: true`.
 */
export async function loadProcessors({
  pluginPaths = [],
  packages = [],
  directory = process.cwd(),
  log,
}: LoadProcessors): Promise<ProcessorRegistry> {
  const loading = new Loading(log);
  if (pluginPaths.length + packages.length > 0) lendPackages();
  for (const path of pluginPaths.map((path) => resolve(path))) {
    for (const candidate of (await loading.attempt(path, () => candidatesIn(path))) ?? []) {
      await loading.attempt(candidate, async () => {
        const entry = await entryOf(candidate);
        if (entry !== undefined) await loading.load({ kind: "file", from: entry }, entry);
      });
    }
  }
  for (const name of packages) {
    await loading.attempt(name, async () => {
      await loading.load({ kind: "package", from: name }, await installedEntry(name, directory));
    });
  }
  return loading.registry();
}

class Loading {
  readonly #log: ProcessorLog;
  readonly #processors = new Map<string, Processor>(builtin.map((processor) => [processor.name, processor]));
  readonly #sources = new Map<string, ProcessorSource>();
  readonly #problems: PluginProblem[] = [];

  constructor(log: ProcessorLog) {
    this.#log = log;
  }

  registry(): ProcessorRegistry {
    return new ProcessorRegistry(this.#processors.values(), {
      sources: this.#sources,
      problems: this.#problems,
    });
  }

  /** What the act gives; undefined when it fails, which is then a problem of `source`. */
  async attempt<Result>(source: string, act: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await act();
    } catch (error) {
      this.#report(source, error);
      return undefined;
    }
  }

  async load(source: ProcessorSource, entry: string): Promise<void> {
    const place = source.from ?? entry;
    await this.attempt(place, async () => {
      const module = await importModule(entry);
      for (const processor of toProcessors(isRecord(module) ? module.default : undefined)) {
        await this.attempt(place, async () => this.#take(processor, source));
      }
    });
  }

  #take(processor: Processor, source: ProcessorSource): void {
    const { name } = processor;
    const taken = this.#processors.has(name);
    const holder = this.#sources.get(name) ?? { kind: "built-in" };
    if (taken && processor.replace !== true) {
      throw new Error(`the name ${name} is taken by ${theOne(holder)}; to replace it, say replace: true`);
    }
    this.#processors.set(name, processor);
    this.#sources.set(name, taken ? { ...source, replaces: holder } : source);
  }

  #report(source: string, error: unknown): void {
    const problem = { source, message: error instanceof Error ? error.message : String(error) };
    this.#problems.push(problem);
    this.#log.error(problem, `plugin not loaded: ${source}: ${problem.message}`);
  }
}

/** A source as words: "the built-in one", "the one from /plugins/tag.ts". */
export function theOne({ kind, from = "" }: ProcessorSource): string {
  return kind === "built-in" ? "the built-in one" : `the one from ${from}`;
}

/** @throws Error that names the line of the entry at fault, where that is known */
async function importModule(entry: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(entry).href);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const hint = isUnstripped(cause) ? `. ${notInNodeModules}` : "";
    throw new Error(`${message}${lineOf(cause, entry)}${hint}`, { cause });
  }
}

function isUnstripped(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && error.code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING"
  );
}

function lineOf(error: unknown, entry: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const at = stack.indexOf(`${entry}:`);
  const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + entry.length + 1))?.[0];
  return line === undefined ? "" : ` (line ${line})`;
}
