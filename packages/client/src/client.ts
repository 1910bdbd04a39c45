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

/** The server's answer to a request that failed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;
  /** One of docs/errors.md, for example `run_not_active`; undefined when the answer was not vConductor's. */
  readonly code: string | undefined;
  readonly detail: unknown;

  constructor(status: number, body: unknown, what: string) {
    const detail = memberOf(body, "detail");
    const code = memberOf(body, "code");
    super(`${what}: ${status} ${typeof detail === "string" ? detail : JSON.stringify(detail ?? body)}`);
    this.status = status;
    this.code = typeof code === "string" ? code : undefined;
    this.detail = detail;
  }

  /** Whether the same request could succeed later: the server is busy, stopping, or without its database. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** The REST API of a vConductor. Every method throws `ApiError`, or fetch's own error when there was no answer. */
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
    const limit = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(url, {
      method,
      headers: {
        ...this.#headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const value = text === "" ? undefined : parse(text);
    if (!answer.ok) throw new ApiError(answer.status, value ?? text, `${method} ${url.pathname}`);
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
    return answer as { jobs: RemoteJob[]; drain: boolean };
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
  ): Promise<void> {
    const { how, ...body } = ending;
    await this.request("POST", `/work/runs/${runId}/${how}`, { body });
  }
}

/** A path with its parameters escaped. */
function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return texts.map((text, index) => text + encodeURIComponent(values[index] ?? "")).join("");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function memberOf(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null
    ? Object.getOwnPropertyDescriptor(body, name)?.value
    : undefined;
}
