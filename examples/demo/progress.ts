const barWidth = 24;

/** One line that tells how far things are: rewritten in place on a terminal, elsewhere a line for each change. */
export class Progress {
  readonly #label: string;
  readonly #terminal = process.stdout.isTTY;
  #last = "";

  constructor(label: string) {
    this.#label = label;
  }

  show({
    done,
    total,
    text,
  }: {
    readonly done: number;
    readonly total: number;
    readonly text: string;
  }): void {
    const filled = Math.round((done / Math.max(1, total)) * barWidth);
    const bar = this.#terminal ? `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ` : "";
    const line = `${this.#label} ${bar}${done} of ${total} jobs done; ${text}`;
    if (line === this.#last) return;
    this.#last = line;
    process.stdout.write(
      this.#terminal ? `\r\x1b[2K${line.slice(0, process.stdout.columns - 1)}` : `${line}\n`,
    );
  }

  /** Ends the line, so that what follows begins a new one. */
  end(): void {
    if (this.#terminal && this.#last !== "") process.stdout.write("\n");
    this.#last = "";
  }
}
