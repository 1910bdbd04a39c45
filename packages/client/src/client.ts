import { ApiError, memberOf, UnsendableError } from "./errors.ts";
import type { Json, RemoteJob, Run } from "./types.ts";

export interface ClientOptions {
  /** Of the server, for example `http://127.0.0.1:8000`. A user and a password in it are refused: give a `token`. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. Default: none */
  readonly token?: string | undefined;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it is given up. Default: 30000 */
  readonly timeoutMs?: number;
}

/**
 * The REST API of a vConductor. Every method throws `ApiError`, fetch's own error when there was no answer, or
 * `UnsendableError`.
 */
export class Client {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws TypeError the URL is none, or holds a password */
  constructor({ url, token }: ClientOptions) {
    const base = new URL(url);
    if (base.username !== "" || base.password !== "") {
      throw new TypeError("the url holds a user or a password; give the token as `token`");
    }
    this.#base = `${base.origin}${base.pathname.replace(/\/+$/, "")}`;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /**
   * Any request: the path as in the server's OpenAPI document, with its parameters filled in by `path`.
   *
   * @returns the answer's JSON; undefined when it has none
   */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const { query = {}, body, headers, signal, timeoutMs = 30_000 } = options;
    const url = new URL(`${this.#base}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    // Before anything is sent: what goes wrong here has nothing to do with the server.
    const json = body === undefined ? undefined : toJson(body, `${method} ${url.pathname}`);
    const limit = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(url, {
      method,
      headers: {
        ...this.#headers,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(json === undefined ? {} : { body: json }),
    });
    const text = await answer.text();
    const value = text === "" ? undefined : parse(text);
    if (!answer.ok) {
      const retryAfter = toSeconds(answer.headers.get("retry-after"));
      throw new ApiError(answer.status, value ?? text, `${method} ${url.pathname}`, retryAfter);
    }
    return value;
  }

  /** Stores a vCon, or replaces the one with its uuid. */
  async putVcon(vcon: { readonly uuid: string }): Promise<void> {
    await this.request("POST", "/vcon", { body: vcon });
  }

  /** The vCon as it was stored. */
  async getVcon(uuid: string): Promise<Json> {
    return (await this.request("GET", path`/vcon/${uuid}`)) as Json;
  }

  /** Makes a queue for remote workers; one that is there already stays as it is. */
  async makeQueue(name: string): Promise<void> {
    try {
      await this.request("POST", path`/queue/${name}`, { query: { kind: "remote" } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "queue_exists") throw error;
    }
  }

  /** Adds a job to a queue. Answers with the number of jobs that wait there. */
  async addJob(
    queue: string,
    job: {
      readonly payload?: Json;
      readonly vcon_uuid?: readonly string[];
      readonly job_type?: string;
      readonly priority?: number;
      /** Seconds before it may run. */
      readonly delay?: number;
      /** While a job with this key waits or runs, adding it again adds nothing. */
      readonly unique_key?: string;
    },
  ): Promise<number> {
    return Number(await this.request("PUT", path`/queue/${queue}`, { body: job }));
  }

  async run(runId: number): Promise<Run> {
    return (await this.request("GET", `/runs/${runId}`)) as Run;
  }

  /** What a run answered with, however large it is. */
  async result(runId: number): Promise<Json> {
    return (await this.request("GET", `/runs/${runId}/result`)) as Json;
  }

  /** Takes jobs out of a queue: see `createWorker`, which does all that follows. */
  async claim(
    queue: string,
    body: {
      readonly worker: string;
      readonly count?: number;
      /** Seconds to wait for a job. */
      readonly wait?: number;
      /** Seconds. */
      readonly lease?: number;
      readonly info?: { readonly [name: string]: Json };
    },
    options: Pick<RequestOptions, "signal"> = {},
  ): Promise<{ readonly jobs: readonly RemoteJob[]; readonly drain: boolean }> {
    const timeoutMs = ((body.wait ?? 0) + 30) * 1000;
    const answer = await this.request("POST", path`/work/${queue}/claim`, { ...options, body, timeoutMs });
    if (!isClaim(answer)) throw new Error(`POST /work/${queue}/claim: an answer without jobs`);
    return answer;
  }

  async heartbeat(
    runId: number,
    body: { readonly lease?: number; readonly progress?: number; readonly message?: string },
  ): Promise<{ readonly cancelled: boolean; readonly drain: boolean }> {
    const answer = await this.request("POST", `/work/runs/${runId}/heartbeat`, { body, timeoutMs: 10_000 });
    return answer as { cancelled: boolean; drain: boolean };
  }

  /** How a job came out. `complete` and the others may be said twice. */
  async end(
    runId: number,
    ending:
      | { readonly how: "complete"; readonly result: Json; readonly queue_jobs?: readonly Json[] }
      | { readonly how: "fail"; readonly message: string; readonly code: string; readonly retryable: boolean }
      | { readonly how: "release"; readonly reason: string },
    options: Pick<RequestOptions, "signal"> = {},
  ): Promise<void> {
    const { how, ...body } = ending;
    await this.request("POST", `/work/runs/${runId}/${how}`, { ...options, body });
  }
}

/** A path with its parameters escaped. */
function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return texts.map((text, index) => text + encodeURIComponent(values[index] ?? "")).join("");
}

/** @throws UnsendableError */
function toJson(body: unknown, what: string): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UnsendableError(`${what}: the body cannot be written as JSON: ${why}`, { cause });
  }
}

/** The header is a number of seconds or a date (RFC 9110, section 10.2.3). */
function toSeconds(header: string | null): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number.isFinite(Number(header)) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** Between us and the server may be others, who answer with something else. */
function isClaim(answer: unknown): answer is { jobs: RemoteJob[]; drain: boolean } {
  const jobs = memberOf(answer, "jobs");
  return Array.isArray(jobs) && jobs.every((job) => typeof memberOf(job, "run_id") === "number");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
