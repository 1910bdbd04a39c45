import { VconductorError } from "../errors.ts";
import type { Processor } from "./define.ts";

/** Something that could not be loaded; the server runs without it and says so. */
export interface PluginProblem {
  /** The file, directory or package. */
  readonly source: string;
  readonly message: string;
}

/** Where a processor comes from. */
export interface ProcessorSource {
  readonly kind: "built-in" | "file" | "package";
  /** The path of the file, or the name of the package. Built-in ones have none. */
  readonly from?: string;
  /** Where the one comes from whose name it took with `replace: true`. */
  readonly replaces?: ProcessorSource;
}

export interface RegistryDetails {
  /** By name of the processor. Default: all are built in. */
  readonly sources?: ReadonlyMap<string, ProcessorSource>;
  /** Default: none. */
  readonly problems?: readonly PluginProblem[];
}

const builtInSource: ProcessorSource = { kind: "built-in" };

/** The processors this server knows, by name. Filled at start by `loadProcessors`, fixed from then on. */
export class ProcessorRegistry {
  readonly problems: readonly PluginProblem[];
  readonly #processors: ReadonlyMap<string, Processor>;
  readonly #sources: ReadonlyMap<string, ProcessorSource>;

  constructor(processors: Iterable<Processor>, { sources = new Map(), problems = [] }: RegistryDetails = {}) {
    this.#processors = new Map([...processors].map((processor) => [processor.name, processor]));
    this.#sources = sources;
    this.problems = problems;
  }

  /** @throws processor_not_registered */
  get(name: string): Processor {
    const processor = this.#processors.get(name);
    if (processor !== undefined) return processor;
    throw new VconductorError("processor_not_registered", `processor: ${name} not registered`);
  }

  has(name: string): boolean {
    return this.#processors.has(name);
  }

  /** Where the processor of this name comes from. @throws processor_not_registered */
  source(name: string): ProcessorSource {
    return this.#sources.get(this.get(name).name) ?? builtInSource;
  }

  /** All of them: built-in ones first, then plugins in the order they were loaded. */
  list(): readonly Processor[] {
    return [...this.#processors.values()];
  }
}
