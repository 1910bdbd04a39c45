import { measureRequests } from "../rounds.ts";
import type { Row } from "../row.ts";

const queue = "bench-enqueue";

export const enqueue: Row = {
  name: "enqueue",
  title: "enqueue one job per request (PUT, 16 connections)",
  unit: "/s",
  floor: 2500,
  raw: "insertsPerSecond",
  async measure(bench) {
    const uuids = await bench.stored(bench.plan.jobs);
    const bodies = uuids.map((uuid) => JSON.stringify({ job_type: "vcon_uuid", vcon_uuid: [uuid] }));
    await bench.server.call("POST", `/queue/${queue}`);
    await bench.server.call("PATCH", `/queue/${queue}`, { paused: true });
    try {
      let at = 0;
      return await measureRequests(bench, () => ({
        method: "PUT",
        path: `/queue/${queue}`,
        body: bodies[at++ % bodies.length] ?? "",
      }));
    } finally {
      await bench.server.call("DELETE", `/queue/${queue}`);
    }
  },
};
