import { expect } from "vitest";
import { eventually } from "../setup/eventually.ts";
import { call } from "./server-process.ts";

interface VconWithMarks {
  readonly analysis?: readonly { readonly type: string }[];
}

/** Stores vCons and queues one job for each. Answers with their uuids. */
export async function queueLoad(url: string, options: { readonly queue: string; readonly count: number }) {
  const uuids = Array.from({ length: options.count }, (_, index) => `load-${index}`);
  await inGroups(uuids, async (uuid) => {
    expect((await call("POST", `${url}/vcon`, { uuid, parties: [{ name: uuid }] })).status).toBe(204);
  });
  await inGroups(uuids, async (uuid) => {
    expect((await call("PUT", `${url}/queue/${options.queue}`, { vcon_uuid: [uuid] })).status).toBe(200);
  });
  return uuids;
}

export async function inGroups<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += 20) {
    await Promise.all(items.slice(start, start + 20).map(work));
  }
}

/** How many marks each vCon has. */
export async function marks(
  url: string,
  uuids: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  await inGroups(uuids, async (uuid) => {
    const { body, status } = await call("GET", `${url}/vcon/${uuid}`);
    const vcon: VconWithMarks = body;
    counts[uuid] = status === 200 ? (vcon.analysis ?? []).filter((one) => one.type === "mark").length : -1;
  });
  return counts;
}

/** Waits until no job of the queue waits or runs. */
export async function untilDone(url: string, queue: string): Promise<void> {
  await eventually(async () => {
    const waiting = await call("GET", `${url}/queue/${queue}`);
    const active = await call("GET", `${url}/in_progress`);
    return JSON.stringify([waiting.body, active.body]) === "[[],{}]";
  });
}

export function once(uuids: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(uuids.map((uuid) => [uuid, 1]));
}

export async function runsOf(
  url: string,
): Promise<readonly { readonly outcome: string; readonly error: unknown }[]> {
  const { body } = await call("GET", `${url}/runs?limit=1000`);
  const page: { readonly runs: readonly { readonly outcome: string; readonly error: unknown }[] } = body;
  return page.runs;
}

/** How many runs some have not ended, and how many have. */
export async function finishedRuns(url: string): Promise<number> {
  return (await runsOf(url)).filter((run) => run.outcome === "done").length;
}
