/**
 * Groups single calls that arrive together into one database statement. An idle batch flushes at once, so a
 * lone call waits for nobody; while a flush is on its way the next calls gather, and they share the next one.
 */
export class Batch<Item, Result> {
  readonly #flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #key: ((item: Item) => string) | undefined;
  readonly #limit: number;
  readonly #lanes: number;
  #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  #scheduled = false;

  /**
   * @param flush does the work of a group, and answers with one result per item, in order. When it throws, each
   *   item is tried alone, so that one bad item does not fail its neighbours.
   * @param options.key two items with the same key never share a group (the second waits for the next one)
   * @param options.limit most items in a group. Default: 64
   * @param options.lanes groups under way at once. Default: 1
   */
  constructor(
    flush: (items: readonly Item[]) => Promise<readonly Result[]>,
    options: {
      readonly key?: (item: Item) => string;
      readonly limit?: number;
      readonly lanes?: number;
    } = {},
  ) {
    this.#flush = flush;
    this.#key = options.key;
    this.#limit = options.limit ?? 64;
    this.#lanes = options.lanes ?? 1;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#lanes || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const group = this.#take();
    if (group.length === 0) return;
    this.#running++;
    this.#schedule();
    try {
      const results = await this.#flush(group.map((entry) => entry.item));
      group.forEach((entry, index) => {
        const result = results[index];
        if (index in results) entry.resolve(result as Result);
        else entry.reject(new Error("a group was flushed without a result for each item"));
      });
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const entry of group) await this.#single(entry);
    } finally {
      this.#running--;
      this.#schedule();
    }
  }

  async #single(entry: Waiting<Item, Result>): Promise<void> {
    try {
      const [result] = await this.#flush([entry.item]);
      entry.resolve(result as Result);
    } catch (error) {
      entry.reject(error);
    }
  }

  #take(): Waiting<Item, Result>[] {
    const key = this.#key;
    if (key === undefined) return this.#waiting.splice(0, this.#limit);
    const group: Waiting<Item, Result>[] = [];
    const rest: Waiting<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const entry of this.#waiting) {
      const own = key(entry.item);
      if (group.length < this.#limit && !keys.has(own)) group.push(entry);
      else rest.push(entry);
      keys.add(own);
    }
    this.#waiting = rest;
    return group;
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
