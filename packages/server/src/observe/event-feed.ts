import { Listener } from "../database/listener.ts";
import { channels, type Notifier } from "../database/notifier.ts";
import type { EventSink, ServerEvent } from "../events.ts";
import type { Service } from "../service.ts";

// A watcher says so every now and then; publishers stop when they have not heard of one for a while.
const watchEveryMs = 10_000;
const watchedForMs = 25_000;

/**
 * Events of all servers, over NOTIFY. Nobody watching costs nothing: events are only sent while some server has
 * a watcher. They are hints of what changed, not a record of it: a watcher that was away looks at the state anew.
 */
export class EventFeed implements EventSink, Service {
  readonly #notifier: Notifier;
  readonly #listener: Listener;
  readonly #watchers = new Set<(event: ServerEvent | { readonly type: "resync" }) => void>();
  #watchedUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly url: string; readonly notifier: Notifier }) {
    this.#notifier = options.notifier;
    this.#listener = new Listener({
      url: options.url,
      channels: [channels.events, channels.watch],
      onNotify: (channel, payload) => this.#receive(channel, payload),
      onConnect: () => this.#deliver({ type: "resync" }),
    });
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#watchers.clear();
    await this.#listener.stop();
  }

  publish(event: ServerEvent): void {
    if (Date.now() < this.#watchedUntil) this.#notifier.send(channels.events, event);
  }

  /** Has `watcher` called with each event from now on. Answers with the way to stop. */
  watch(watcher: (event: ServerEvent | { readonly type: "resync" }) => void): () => void {
    this.#watchers.add(watcher);
    this.#notifier.send(channels.watch, 1);
    this.#timer ??= setInterval(() => this.#notifier.send(channels.watch, 1), watchEveryMs).unref();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #receive(channel: string, payload: string): void {
    if (channel === channels.watch) {
      this.#watchedUntil = Date.now() + watchedForMs;
      return;
    }
    if (this.#watchers.size === 0) return;
    for (const event of JSON.parse(payload) as ServerEvent[]) this.#deliver(event);
  }

  #deliver(event: ServerEvent | { readonly type: "resync" }): void {
    for (const watcher of this.#watchers) watcher(event);
  }
}
