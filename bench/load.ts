import { Client } from "undici";

export interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: string;
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** Milliseconds; no request begins later. */
  readonly durationMs: number;
  /** No more requests than these. Default: no limit */
  readonly most?: number;
  readonly signal: AbortSignal;
  /** The next request, or undefined to end. */
  readonly next: () => Request | undefined;
}

export interface Load {
  readonly perSecond: number;
  readonly requests: number;
  /** Milliseconds from sending to the last byte of the answer. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/**
 * Keeps every connection busy with one request after the other.
 * @throws Error at the first answer that is no success
 */
export async function load(options: LoadOptions): Promise<Load> {
  const clients = Array.from(
    { length: options.connections },
    () => new Client(options.url, { pipelining: 1 }),
  );
  const times: number[] = [];
  const begun = performance.now();
  let sent = 0;
  const lane = async (client: Client): Promise<void> => {
    while (
      performance.now() - begun < options.durationMs &&
      sent < (options.most ?? Number.POSITIVE_INFINITY)
    ) {
      options.signal.throwIfAborted();
      const request = options.next();
      if (request === undefined) return;
      sent++;
      const start = performance.now();
      await send(client, request);
      times.push(performance.now() - start);
    }
  };
  try {
    await Promise.all(clients.map(lane));
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
  const seconds = (performance.now() - begun) / 1000;
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / seconds,
    requests: times.length,
    latency: { p50: percentile(times, 50), p95: percentile(times, 95), p99: percentile(times, 99) },
  };
}

/** A request of a loop. @returns the answer's JSON @throws Error the answer is no success */
export type Send = (method: "POST" | "PUT", path: string, body: unknown) => Promise<unknown>;

export interface LoopOptions {
  readonly url: string;
  /** Each with a connection of its own. */
  readonly lanes: number;
  /** Milliseconds; nothing begins later. */
  readonly durationMs: number;
  /** No more than these. Default: no limit */
  readonly most?: number;
  readonly token?: string;
  readonly signal: AbortSignal;
  /** What is done again and again. @returns how much that was; nothing ends the lane */
  readonly once: (send: Send, lane: number) => Promise<number>;
}

/** Keeps every connection busy with the same few requests. @returns how much was done, per second */
export async function loop(options: LoopOptions): Promise<number> {
  const { url, lanes, token, signal, once, most = Number.POSITIVE_INFINITY } = options;
  const clients = Array.from({ length: lanes }, () => new Client(url, { pipelining: 1 }));
  const headers = {
    "content-type": "application/json",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  const begun = performance.now();
  let done = 0;
  let started = 0;
  const lane = async (client: Client, index: number): Promise<void> => {
    const sendWith: Send = async (method, path, body) => {
      const answer = await client.request({ method, path, headers, body: JSON.stringify(body) });
      const text = await answer.body.text();
      if (answer.statusCode >= 300)
        throw new Error(`${method} ${path} was answered with ${answer.statusCode}: ${text}`);
      return JSON.parse(text);
    };
    while (performance.now() - begun < options.durationMs && started < most) {
      signal.throwIfAborted();
      started++;
      const count = await once(sendWith, index);
      if (count === 0) return;
      done += count;
    }
  };
  try {
    await Promise.all(clients.map(lane));
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
  return done / ((performance.now() - begun) / 1000);
}

const withBody = ["content-type", "application/json"];

/** One request at undici's lowest level: the load generator shares the cores with what it measures. */
function send(client: Client, { method, path, body }: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let problem = "";
    client.dispatch(
      { method, path, body: body ?? null, headers: body === undefined ? [] : withBody },
      {
        onRequestStart() {},
        onResponseStart(_, statusCode) {
          status = statusCode;
        },
        onResponseData(_, chunk) {
          if (status >= 300) problem += chunk.toString();
        },
        onResponseEnd() {
          if (status >= 200 && status < 300) resolve();
          else reject(new Error(`${method} ${path} was answered with ${status}: ${problem}`));
        },
        onResponseError(_, error) {
          reject(error);
        },
      },
    );
  });
}

/** @param sorted ascending @returns 0 if there is none */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    50,
  );
}
