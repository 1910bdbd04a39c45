import { randomUUID } from "node:crypto";
import { eventually } from "../setup/eventually.ts";
import type { TestServer } from "../setup/test-server.ts";
import { at } from "./call.ts";

export interface FollowedEvents {
  /** What has come so far, without `resync`. */
  readonly seen: readonly unknown[];
  close(): Promise<void>;
}

/** Follows the server's events. Resolves once they flow: a server publishes only while it knows of a watcher. */
export async function followEvents(
  server: TestServer,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FollowedEvents> {
  const stop = new AbortController();
  const response = await server.fetch(path, { signal: stop.signal, headers });
  const all: unknown[] = [];
  const reading = read(response, all).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const probe = `event-probe-${randomUUID()}`;
  await eventually(async () => {
    const body = { vcon: "0.4.0", uuid: probe, parties: [] };
    await server.call("POST", "/vcon", { body, headers });
    return all.some((event) => at(event, "uuid") === probe);
  });
  return {
    get seen() {
      const isProbe = (event: unknown) => String(at(event, "uuid")).startsWith("event-probe-");
      return all.filter((event) => at(event, "type") !== "resync" && !isProbe(event));
    },
    async close() {
      stop.abort();
      await reading;
    },
  };
}

async function read(response: Response, into: unknown[]): Promise<void> {
  if (response.body === null) throw new Error("there is no stream of events");
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) into.push(JSON.parse(data));
    }
  }
}
