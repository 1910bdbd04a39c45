import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** A request as it came. */
export interface Asked {
  /** Without the number of a run: `claim`, `heartbeat`, `complete`, `fail` or `release`. */
  readonly what: string;
  readonly runId: number | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds, on a clock that only goes forward. */
  readonly at: number;
}

export interface Said {
  /** Default: 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. Default: `{}` */
  readonly body?: unknown;
}

export interface ScriptedServer {
  readonly url: string;
  /** All that came so far. */
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

/** A server for workers that answers as a test needs. @param say `nothing`: the request stays open */
export async function startScriptedServer(say: (asked: Asked) => Said | "nothing"): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const at = performance.now();
    const [, runId, what = ""] = /^\/work\/(?:runs\/(\d+)|[^/]+)\/(\w+)$/.exec(request.url ?? "") ?? [];
    const sent = await text(request);
    const one = {
      what,
      runId: runId === undefined ? undefined : Number(runId),
      body: sent === "" ? {} : JSON.parse(sent),
      at,
    };
    asked.push(one);
    const said = say(one);
    if (said === "nothing") return;
    response.writeHead(said.status ?? 200, { "content-type": "application/json", ...said.headers });
    response.end(JSON.stringify(said.body ?? {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The answer to a claim: jobs with these runs. */
export function jobsOf(...runIds: readonly number[]): Said {
  const jobs = runIds.map((run_id) => ({ run_id, job_id: run_id, queue: "q", payload: null, attempt: 1 }));
  return { body: { jobs, drain: false } };
}
