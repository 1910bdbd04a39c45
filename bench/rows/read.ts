import { measureRequests } from "../rounds.ts";
import type { Row } from "../row.ts";

export const read: Row = {
  name: "read",
  title: "read a vCon (GET, 16 connections)",
  unit: "/s",
  floor: 5000,
  aim: { ratio: 0.5 },
  raw: "selectsPerSecond",
  async measure(bench) {
    const uuids = await bench.stored(bench.plan.jobs);
    return await measureRequests(bench, () => ({
      method: "GET",
      path: `/vcon/${uuids[Math.floor(Math.random() * uuids.length)]}`,
    }));
  },
};
