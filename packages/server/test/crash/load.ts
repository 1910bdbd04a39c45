import { expect } from "vitest";
import { eventually } from "../setup/eventually.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, to be given the type that the route promises. */
  readonly body: never;
}

/** A request with a JSON body, or none. */
export async function call(
  method: string,
  url: string,
  options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? null : JSON.parse(text)) as never,
  };
}

async function succeed(...request: Parameters<typeof call>): Promise<Answer> {
  const answer = await call(...request);
  if (answer.status >= 300) {
    throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

/** The queue that every job of `work` queues a follow-up job in. Nobody tends it, so they stay and can be counted. */
const after = "after";

/**
 * Makes the queue `work`, which the servers at `urls` tend, and its pipeline: the given processor, and then a
 * follow-up job.
 */
export async function defineWork(
  urls: string | readonly string[],
  options: { readonly processor: string; readonly options?: object; readonly pipeline?: object },
): Promise<void> {
  const all = typeof urls === "string" ? [urls] : urls;
  const [url = ""] = all;
  await succeed("POST", `${url}/queue/${after}`);
  await succeed("PUT", `${url}/pipeline/work`, {
    body: {
      pipeline_options: options.pipeline ?? {},
      processors: [
        { processor_name: options.processor, processor_options: options.options ?? {} },
        { processor_name: "queue_job", processor_options: { queue_name: after } },
      ],
    },
  });
  await succeed("POST", `${url}/queue/work`);
  for (const one of all) await succeed("POST", `${one}/server/queue/work`, { body: { weight: 1 } });
}

/** Stores a vCon. */
export async function store(
  url: string,
  uuid: string,
  vcon: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await succeed("POST", `${url}/vcon`, { body: { uuid, parties: [{ name: uuid }], ...vcon } });
}

export async function storeMany(url: string, uuids: readonly string[]): Promise<void> {
  await inGroups(uuids, (uuid) => store(url, uuid));
}

/** Queues a job in `work`. */
export async function queueJob(url: string, uuids: readonly string[]): Promise<void> {
  await succeed("PUT", `${url}/queue/work`, { body: { job_type: "vcon_uuid", vcon_uuid: uuids } });
}

/** Stores `count` vCons and queues a job for each. Answers with their uuids. */
export async function queueLoad(url: string, count: number): Promise<readonly string[]> {
  const uuids = names("load", count);
  await storeMany(url, uuids);
  await inGroups(uuids, (uuid) => queueJob(url, [uuid]));
  return uuids;
}

export function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, "0")}`);
}

export async function inGroups<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += 20) {
    await Promise.all(items.slice(start, start + 20).map(work));
  }
}

export interface RunRecord {
  readonly id: number;
  readonly attempt: number;
  readonly outcome: string | null;
  readonly worker: string;
  readonly vcon_uuid: readonly string[];
  readonly lease_until: string;
  readonly error: unknown;
}

/** Runs of `work`, newest first. */
export async function runs(
  url: string,
  filter: Readonly<Record<string, string>> = {},
): Promise<readonly RunRecord[]> {
  const query = new URLSearchParams({ limit: "1000", queue: "work", ...filter });
  const { body } = await succeed("GET", `${url}/runs?${query}`);
  const page: { readonly runs: readonly RunRecord[] } = body;
  return page.runs;
}

/** Waits until at least `count` jobs of `work` are done. */
export async function untilSomeDone(url: string, count = 20): Promise<void> {
  await eventually(async () => (await runs(url, { outcome: "done" })).length >= count);
}

/**
 * Waits until `count` jobs of `work` have ended, and none waits or runs. (That none waits and none runs would not be
 * enough: between the two looks, a job goes back from its dead worker to the queue.)
 */
export async function untilEnded(url: string, count: number): Promise<void> {
  let state = "";
  await eventually(async () => {
    const history = await runs(url);
    const ended = history.filter((run) => ["done", "failed", "cancelled"].includes(run.outcome ?? "")).length;
    const waiting = await call("GET", `${url}/queue/work`);
    const active = await call("GET", `${url}/in_progress`);
    const left = JSON.stringify([waiting.body, active.body]);
    state = `${ended} of ${count} jobs have ended; left: ${left.slice(0, 500)}`;
    return ended >= count && left === "[[],{}]";
  }).catch((error: unknown) => {
    throw new Error(state, { cause: error });
  });
}

/** The marks of a vCon, in the order in which they came. */
export async function marksOf(url: string, uuid: string): Promise<readonly string[]> {
  const { body } = await succeed("GET", `${url}/vcon/${uuid}`);
  const vcon: { readonly analysis?: readonly { readonly type: string; readonly body: string }[] } = body;
  return (vcon.analysis ?? []).filter((one) => one.type === "mark").map((one) => one.body);
}

/**
 * Expects that the job of each vCon has had its effects once: one mark, one follow-up job, one run that is done; and
 * that no job failed. With `except`, those vCons' jobs have had none.
 */
export async function expectOnce(
  url: string,
  uuids: readonly string[],
  options: { readonly except?: readonly string[] } = {},
): Promise<void> {
  const except = options.except ?? [];
  const marks: Record<string, readonly string[]> = {};
  await inGroups([...uuids, ...except], async (uuid) => {
    marks[uuid] = await marksOf(url, uuid);
  });
  const expected = [...uuids.map((uuid) => [uuid, [uuid]]), ...except.map((uuid) => [uuid, []])];
  expect(marks).toEqual(Object.fromEntries(expected));
  expect(await followUps(url)).toEqual([...uuids].sort());
  const done = await runs(url, { outcome: "done" });
  expect(done.map((run) => run.vcon_uuid[0]).sort()).toEqual([...uuids].sort());
  if (except.length === 0) expect(await runs(url, { outcome: "failed" })).toEqual([]);
}

/** The vCons of the follow-up jobs, sorted. */
export async function followUps(url: string): Promise<readonly string[]> {
  return (await waitingJobs(url, after)).flatMap((job) => job.vcon_uuid).sort();
}

/** The jobs that wait in a queue. */
export async function waitingJobs(
  url: string,
  queue: string,
): Promise<readonly { readonly vcon_uuid: readonly string[] }[]> {
  const { body } = await succeed("GET", `${url}/queue/${queue}`);
  return body;
}
