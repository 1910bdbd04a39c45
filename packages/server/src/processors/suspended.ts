/**
 * Thrown through a processor when its run ends for now, to go on when what it waits for is there. It is no failure: who
 * catches errors passes this one on.
 */
export class Suspended<What = unknown> extends Error {
  override readonly name = "Suspended";
  readonly what: What;

  constructor(what: What) {
    super("the run ends for now: it waits for a remote worker");
    this.what = what;
  }
}
