import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, expect, onTestFinished } from "vitest";

/** A request as the double got it. */
export interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** An answer; a text or JSON value is the body. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * What goes wrong with one request: nothing, an answer instead of the usual one, no answer at all, the connection lost in the
 * middle of the body, or a body without end.
 */
export type Trouble = Reply | "none" | "hang" | "truncated" | "huge";

/** A real HTTP server on this machine that behaves like a provider; ended after the test, or the tests of the file. */
export class ProviderDouble {
  readonly received: Received[] = [];
  readonly #troubles: Trouble[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #behave: (request: Received) => Reply | Promise<Reply>;
  /** Resolves with each request that came in whole. */
  #arrived = Promise.withResolvers<void>();

  private constructor(behave: (request: Received) => Reply | Promise<Reply>) {
    this.#behave = behave;
  }

  static async start(behave: (request: Received) => Reply | Promise<Reply>): Promise<ProviderDouble> {
    const double = new ProviderDouble(behave);
    double.#server.listen(0, "127.0.0.1");
    await once(double.#server, "listening");
    if (expect.getState().currentTestName === undefined) afterAll(() => double.stop());
    else onTestFinished(() => double.stop());
    return double;
  }

  /** `host:port`, for FETCH_ALLOW. */
  get host(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("the double is not listening");
    return `127.0.0.1:${address.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** The next requests go wrong like this, one each; those after them are answered as usual. */
  troubles(...troubles: readonly Trouble[]): void {
    this.#troubles.push(...troubles);
  }

  /** Forgets what came in, and troubles that did not happen. */
  reset(): void {
    this.received.length = 0;
    this.#troubles.length = 0;
  }

  /** Resolves when the next request has come in. */
  async next(): Promise<void> {
    await this.#arrived.promise;
  }

  /** The JSON bodies of what came in. */
  get json(): readonly unknown[] {
    return this.received.map(({ body }) => JSON.parse(body.toString()));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { method = "", url: path = "", headers } = request;
    const received = { method, path, headers, body: Buffer.concat(parts) };
    this.received.push(received);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    const trouble = this.#troubles.shift();
    if (trouble === "hang") return;
    if (trouble === "truncated") return truncate(response);
    if (trouble === "huge") return flood(response);
    send(response, trouble === undefined || trouble === "none" ? await this.#behave(received) : trouble);
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body = "" }: Reply): void {
  const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(text);
}

/** Announces more than it sends, and hangs up. */
function truncate(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"half": "a bo', () => response.destroy());
}

const block = Buffer.alloc(1024 * 1024, " ");

/** Sends until the other side has had enough. */
function flood(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const more = () => {
    while (!response.destroyed && response.write(block));
  };
  response.on("drain", more);
  more();
}
