import { member, numberIn, objectsIn, textIn } from "./json.ts";
import { Trouble } from "./trouble.ts";

/** One attempt at a job. */
export interface Run {
  readonly id: number;
  readonly queue: string;
  readonly jobId: number;
  readonly vcons: readonly string[];
  /** Undefined while it runs. */
  readonly outcome: string | undefined;
  readonly seconds: number;
  readonly error: string | undefined;
}

const pageOfRuns = 1000;

/** The few calls of the REST API that the demo needs. Each throws a `Trouble` when the answer is not the one hoped for. */
export class Api {
  readonly url: string;
  readonly #signal: AbortSignal;

  /** @param options.signal ends every call */
  constructor(url: string, options: { readonly signal: AbortSignal }) {
    this.url = url;
    this.#signal = options.signal;
  }

  /** Stores a vCon, given as JSON text, or replaces the one with its uuid. */
  async storeVcon(text: string): Promise<void> {
    await this.#call("POST", "/vcon", { body: text });
  }

  async readVcon(uuid: string): Promise<unknown> {
    return (await this.#call("GET", `/vcon/${encodeURIComponent(uuid)}`)).body;
  }

  async putPipeline(name: string, definition: object): Promise<void> {
    await this.#call("PUT", `/pipeline/${encodeURIComponent(name)}`, { body: JSON.stringify(definition) });
  }

  /** Makes sure that there is such a queue, that it is not paused, and that this server tends it. */
  async openQueue(name: string): Promise<void> {
    const path = `/queue/${encodeURIComponent(name)}`;
    // 422 says that it exists: it does from the second demo on.
    await this.#call("POST", path, { also: 422 });
    await this.#call("PATCH", path, { body: JSON.stringify({ paused: false }) });
    await this.#call("POST", `/server${path}`, { body: JSON.stringify({ weight: 1 }) });
  }

  /** Answers with the job's number. */
  async queueVcon(queue: string, uuid: string): Promise<number> {
    const job = { job_type: "vcon_uuid", vcon_uuid: [uuid] };
    const { headers } = await this.#call("PUT", `/queue/${encodeURIComponent(queue)}`, {
      body: JSON.stringify(job),
    });
    const id = Number(headers.get("vconductor-job-id"));
    if (!Number.isInteger(id) || id < 1)
      throw new Trouble(`Queue ${queue} took a job but gave it no number.`);
    return id;
  }

  /** How many jobs wait in a queue. */
  async waiting(queue: string): Promise<number> {
    const { body } = await this.#call("GET", `/queue/${encodeURIComponent(queue)}`);
    return Array.isArray(body) ? body.length : 0;
  }

  /** How many jobs of a queue are in progress. */
  async inProgress(queue: string): Promise<number> {
    return (await this.#page(`/runs?active=true&limit=${pageOfRuns}&queue=${encodeURIComponent(queue)}`))
      .length;
  }

  /** The number of the newest run; 0 before the first. */
  async lastRun(): Promise<number> {
    return (await this.#page("/runs?limit=1"))[0]?.id ?? 0;
  }

  /** The runs of a queue that came after the given one, newest first. */
  async runsAfter(queue: string, last: number): Promise<readonly Run[]> {
    const runs = await this.#page(`/runs?limit=${pageOfRuns}&queue=${encodeURIComponent(queue)}`);
    return runs.filter((run) => run.id > last);
  }

  async #page(path: string): Promise<readonly Run[]> {
    const { body } = await this.#call("GET", path);
    return objectsIn(body, "runs").map(toRun);
  }

  async #call(
    method: string,
    path: string,
    options: { readonly body?: string; readonly also?: number } = {},
  ): Promise<{ readonly body: unknown; readonly headers: Headers }> {
    const { body, also } = options;
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(this.url + path, {
      method,
      headers,
      signal: this.#signal,
      ...(body === undefined ? {} : { body }),
    }).catch((error: unknown) => {
      this.#signal.throwIfAborted();
      throw new Trouble(`${method} ${path} got no answer.`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok && response.status !== also) {
      throw new Trouble(`${method} ${path} was answered with ${response.status}: ${text}`);
    }
    return { body: text === "" ? undefined : JSON.parse(text), headers: response.headers };
  }
}

function toRun(value: unknown): Run {
  const vcons = member(value, "vcon_uuid");
  const error = member(value, "error");
  return {
    id: numberIn(value, "id") ?? 0,
    queue: textIn(value, "queue") ?? "",
    jobId: numberIn(value, "job_id") ?? 0,
    vcons: Array.isArray(vcons) ? vcons.filter((uuid) => typeof uuid === "string") : [],
    outcome: textIn(value, "outcome"),
    seconds: numberIn(value, "duration") ?? 0,
    error:
      textIn(error, "message") ?? (error === null || error === undefined ? undefined : JSON.stringify(error)),
  };
}
