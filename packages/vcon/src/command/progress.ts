const TICK_MS = 120;
/** What is over in an instant is not worth a line. */
const QUIET_MS = 700;
const frames = ["|", "/", "-", "\\"];

/**
 * Tells somebody at a terminal what takes so long, on one line of stderr that vanishes at the end. Says nothing where
 * stderr is not a terminal, or the work is short.
 */
export class Progress {
  readonly #terminal: boolean;
  #label = "";
  #since = 0;
  #frame = 0;
  #shown = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal = process.stderr.isTTY === true) {
    this.#terminal = terminal;
  }

  /** The work at hand, for example "Reading (12 MB)". */
  say(label: string): void {
    if (!this.#terminal) return;
    this.#label = label;
    this.#since ||= Date.now();
    this.#timer ??= setInterval(() => this.#draw(), TICK_MS).unref();
    this.#draw();
  }

  done(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#since = 0;
    if (this.#shown) process.stderr.write("\r\u001b[K");
    this.#shown = false;
  }

  /** Also between two pieces of work, because a long one leaves no time to the timer. */
  #draw(): void {
    if (Date.now() - this.#since < QUIET_MS) return;
    this.#frame = (this.#frame + 1) % frames.length;
    this.#shown = true;
    process.stderr.write(`\r\u001b[K${frames[this.#frame] ?? ""} ${this.#label} …`);
  }
}
