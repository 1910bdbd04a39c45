/** Where a step stands in the pipelines that are being run, and which step comes after it. */
export class StepPlace {
  readonly index: number;
  /** Tells it from every other step of the run: "2", or "2.0" for the first step of the pipeline that step 2 runs. */
  readonly path: string;
  /** How many pipelines are around it, its own not counted. */
  readonly depth: number;
  readonly processor: string;
  readonly #count: number;
  #next: number;

  constructor(options: {
    readonly index: number;
    /** Steps of its pipeline. */
    readonly count: number;
    readonly processor: string;
    readonly within?: StepPlace | undefined;
  }) {
    const { index, count, processor, within } = options;
    this.index = index;
    this.processor = processor;
    this.path = within === undefined ? String(index) : `${within.path}.${index}`;
    this.depth = within === undefined ? 0 : within.depth + 1;
    this.#count = count;
    this.#next = index + 1;
  }

  /** The step to go on with; the number of steps when there is none. */
  get next(): number {
    return this.#next;
  }

  skip(steps: number): void {
    this.#next = Math.min(this.#count, this.index + 1 + Math.max(0, Math.trunc(steps)));
  }

  stop(): void {
    this.#next = this.#count;
  }
}
