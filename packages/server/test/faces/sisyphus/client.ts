import { type Answer, at, call } from "../../http/call.ts";

/** What workers and front ends of Sisyphus send. */
export interface SisyphusClient {
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** @returns the id of the new job */
  add(title: string): Promise<string>;
  /** A heartbeat. @param more members beside the usual ones */
  beat(worker: string, more?: object): Promise<Answer>;
  /** What a worker does when it looks for a job. @returns what it gets */
  poll(worker: string): Promise<Answer>;
}

/** @param url where the API of Sisyphus is */
export function sisyphusClient(url: string): SisyphusClient {
  const send: SisyphusClient["send"] = (method, path, body, headers = {}) =>
    call(method, `${url}${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    });
  return {
    send,
    add: async (title) => String(at((await send("POST", "/queue", job(title))).json, "job_id")),
    beat: (worker, more = {}) =>
      send("POST", `/workers/${worker}`, {
        status: "idle",
        online_at: "2026-01-01 00:00:00+00:00",
        hostname: `host of ${worker}`,
        version: "1.5.9",
        ...more,
      }),
    async poll(worker) {
      await send("GET", "/queue");
      await send("GET", `/workers/${worker}`);
      return await send("GET", "/queue/poll");
    },
  };
}

export const job = (title: string) => ({ job_title: title, tasks: [{ module: "cleanup", data: {} }] });

/** What a worker says of a job that it has done. */
export const success = {
  failed: false,
  info: {
    start_time: "2026-01-01 00:00:00+00:00",
    worker: "host",
    worker_id: "w",
    version: "1.5.9",
    completed: true,
    end_time: "2026-01-01 00:00:09+00:00",
    runtime: "0:00:09.000000",
  },
};
