export type OutageEvent =
  /** The server cannot be reached, or cannot answer for now; it is tried again. Told once, however often it is tried. */
  | { readonly type: "unreachable"; readonly error: unknown }
  /** The server has answered, and nobody waits any more for it to answer what could not be said. */
  | { readonly type: "reachable" };

/** What all those of a worker who ask the server know of it together, so that an outage is told once and not by each. */
export class Outage {
  readonly #waiting = new Set<object>();
  readonly #tell: (event: OutageEvent) => void;
  /** The server has answered somebody since it last failed to. */
  #isHeard = false;

  constructor(tell: (event: OutageEvent) => void) {
    this.#tell = tell;
  }

  /** @param asker who will ask again, until it says `answered` or `gone` */
  failed(asker: object, error: unknown): void {
    const begins = this.#waiting.size === 0;
    this.#waiting.add(asker);
    this.#isHeard = false;
    if (begins) this.#tell({ type: "unreachable", error });
  }

  answered(asker: object): void {
    this.#isHeard = true;
    this.#leave(asker);
  }

  /** It asks no more, and knows nothing new. */
  gone(asker: object): void {
    this.#leave(asker);
  }

  #leave(asker: object): void {
    const isLast = this.#waiting.delete(asker) && this.#waiting.size === 0;
    if (isLast && this.#isHeard) this.#tell({ type: "reachable" });
  }
}
