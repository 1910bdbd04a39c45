/**
 * Lets runs pass together, or one alone. A job whose worker has died before runs alone: if it takes the worker
 * down again it takes nobody else's run with it, and it is clear which job did it.
 */
export class Turnstile {
  #inside = 0;
  #aloneInside = false;
  readonly #waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  async pass<Result>(options: { readonly alone: boolean }, work: () => Promise<Result>): Promise<Result> {
    await this.#enter(options.alone);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#aloneInside = false;
      this.#admit();
    }
  }

  #enter(alone: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ alone, enter: resolve });
      this.#admit();
    });
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#aloneInside || (next.alone && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside++;
      this.#aloneInside = next.alone;
      next.enter();
    }
  }
}
