import { VconductorError } from "../errors.ts";
import type { Processor } from "./define.ts";

/** Something that could not be loaded; the server runs without it and says so. */
export interface PluginProblem {
  /** The file, directory or package. */
  readonly source: string;
  readonly message: string;
}

/** The processors this server knows, by name. Filled at start by `loadProcessors`, fixed from then on. */
export class ProcessorRegistry {
  readonly problems: readonly PluginProblem[];
  readonly #processors: ReadonlyMap<string, Processor>;

  constructor(processors: Iterable<Processor>, problems: readonly PluginProblem[] = []) {
    this.#processors = new Map([...processors].map((processor) => [processor.name, processor]));
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

  /** All of them: built-in ones first, then plugins in the order they were loaded. */
  list(): readonly Processor[] {
    return [...this.#processors.values()];
  }
}
